//! Writing, and reading back what is durable.

use super::*;

#[tokio::test]
async fn points_are_there_after_the_write_and_after_a_restart() {
    let mut house = House::new().await;
    let lines = Lines::default()
        .line("a", 10, &[("f", Scalar::Float(1.5)), ("i", Scalar::Int(-3)), ("s", text("x"))])
        .line("b", 10, &[("u", Scalar::Uint(u64::MAX)), ("b", Scalar::Bool(true))])
        .line("a", i64::MIN, &[("f", Scalar::Float(-0.0))])
        .line("a", i64::MAX, &[("f", Scalar::Int(7))]);
    let written = house.write(lines).await;
    assert_eq!((written.lines, written.values, written.refused.len()), (4, 7, 0));
    for _ in 0..2 {
        let f = [(i64::MIN, Scalar::Float(-0.0)), (10, Scalar::Float(1.5)), (i64::MAX, Scalar::Int(7))];
        assert_eq!(house.column("a", "f"), f);
        assert_eq!(house.column("a", "i"), [(10, Scalar::Int(-3))]);
        assert_eq!(house.column("a", "s"), [(10, text("x"))]);
        assert_eq!(house.column("b", "u"), [(10, Scalar::Uint(u64::MAX))]);
        assert_eq!(house.column("b", "b"), [(10, Scalar::Bool(true))]);
        assert_eq!(house.column("b", "f"), []);
        assert_eq!(house.column_within("a", "f", (10, 11)), f[1..2]);
        house.restart().await;
    }
}

#[tokio::test]
async fn the_last_value_of_an_instant_wins_within_a_write_and_across_writes() {
    let mut house = House::new().await;
    house.write(Lines::floats("a", [(1, 1.0), (2, 2.0), (1, 3.0)])).await;
    assert_eq!(house.column("a", "v"), floats([(1, 3.0), (2, 2.0)]));
    house.write(Lines::floats("a", [(2, 4.0)])).await;
    assert_eq!(house.column("a", "v"), floats([(1, 3.0), (2, 4.0)]));
    house.restart().await;
    assert_eq!(house.column("a", "v"), floats([(1, 3.0), (2, 4.0)]));
}

#[tokio::test]
async fn a_line_that_breaks_a_rule_is_left_out_with_the_names_it_would_have_added() {
    let house = House::new().await;
    house.write(Lines::floats("a", [(1, 1.0)])).await;
    let bad = || {
        Lines::default()
            .line("a", 2, &[("v", Scalar::Int(2))])
            .line("b", 2, &[("new", Scalar::Bool(true)), ("v", text("no"))])
            .line("c", 3, &[("v", Scalar::Float(3.0))])
    };
    let why =
        Refusal::Type { field: "v".into(), measurement: "m".into(), given: FieldType::Text, exists: FieldType::Float };
    let refused = vec![Refused { line: 1, value: 1, why }];
    let atomic = house.write_points(&ns("n"), bad().0, true).await.expect("writes").expect("current");
    assert_eq!(atomic, Written { refused: refused.clone(), ..Written::default() });
    assert_eq!(house.column("c", "v"), []);
    assert_eq!(house.write(bad()).await, Written { lines: 2, values: 2, refused });
    assert_eq!(house.column("a", "v"), [(1, Scalar::Float(1.0)), (2, Scalar::Int(2))]);
    assert_eq!((house.column("b", "new"), house.column("c", "v")), (vec![], floats([(3, 3.0)])));
    // The field that a refused line would have made a number may be a text.
    house.write(Lines::default().line("b", 1, &[("new", text("yes"))])).await;
    assert_eq!(house.column("b", "new"), [(1, text("yes"))]);
    assert_eq!(house.series_stats().series, 3);
}

#[tokio::test]
async fn too_many_series_or_fields_refuse_a_line_and_not_the_write() {
    let house = House::with(|options| {
        options.limits.series = 2;
        options.limits.series_fields = 2;
    })
    .await;
    let one = Scalar::Int(1);
    let lines = Lines::default()
        .line("a", 1, &[("x", one.clone())])
        .line("b", 1, &[("x", one.clone()), ("y", one.clone())])
        .line("c", 1, &[("x", one.clone())])
        .line("a", 2, &[("x", one.clone()), ("z", one.clone())])
        .line("a", 3, &[("x", one.clone())]);
    let written = house.write(lines).await;
    let refused = [
        Refused { line: 2, value: 0, why: Refusal::TooManySeries { limit: 2 } },
        Refused { line: 3, value: 1, why: Refusal::TooManyFields { limit: 2 } },
    ];
    assert_eq!((written.lines, &written.refused[..]), (3, &refused[..]));
    assert_eq!(house.column("a", "x"), [(1, one.clone()), (3, one)]);
}

#[tokio::test]
async fn references_stand_for_names() {
    let house = House::new().await;
    house.write(Lines::floats("a", [(1, 1.0)])).await;
    let mut points = Points::new(1);
    points.float(FieldRef(0), 2.0);
    points.end(SeriesRef(0), 2);
    let written = house.write_points(&ns("n"), points, true).await.expect("writes").expect("current");
    assert_eq!((written.lines, house.column("a", "v")), (1, floats([(1, 1.0), (2, 2.0)])));
    for (series, field) in [(0, 1), (1, 0)] {
        let mut points = Points::new(1);
        points.float(FieldRef(field), 2.0);
        points.end(SeriesRef(series), 2);
        assert_eq!(refused(house.write_points(&ns("n"), points, false).await).kind(), &Kind::Bug);
    }
    let mut points = Points::new(2);
    points.float(FieldRef(0), 2.0);
    points.end(SeriesRef(0), 2);
    assert_eq!(house.write_points(&ns("n"), points, false).await.expect("answers"), None);
}

#[tokio::test]
async fn a_write_makes_its_namespace() {
    let house = House::new().await;
    house.write(Lines::floats("a", [(1, 1.0)])).await;
    let names: Vec<_> = house.namespaces().await.expect("lists").into_iter().map(|info| info.name).collect();
    assert_eq!(names, [ns("default"), ns("n")]);
    assert_eq!(house.write(Lines::default()).await, Written::default());
}

#[tokio::test]
async fn the_memory_limit_counts_names_also_after_a_restart() {
    let mut house = House::new().await;
    let used = house.stats().accounted_bytes;
    // Of names that are long, for a few to come to something.
    let long = |number: i32| format!("{number}{}", "x".repeat(10_000));
    house.restart_with(|options| options.limits.memory_bytes = used + 100_000).await;
    let refused_at = async |house: &House, from: i32| {
        for host in from.. {
            let lines = Lines::floats(&long(host), [(1, 1.0)]);
            match house.write_points(&ns("n"), lines.0, false).await {
                Ok(_) => assert!(host < 20, "the limit is reached at some time"),
                Err(error) => {
                    assert_eq!(error.kind(), &Kind::Full);
                    return host;
                }
            }
        }
        from
    };
    let full = refused_at(&house, 0).await;
    assert!(full > 2);
    house.restart().await;
    // What one more takes may just fit, for there is less in buffers after a restart.
    let full = refused_at(&house, full).await;
    assert!(full < 20);
    let delete = DeletePoints { measurement: "m".into(), filters: Vec::new(), range: None };
    assert_eq!(house.delete_points(&ns("n"), delete).await.expect("deletes"), full as u64);
    let names = |engine: &Engine| engine.live().expect("a live engine").series.totals.memory_bytes();
    house.in_time("the names to be forgotten", |engine| names(engine) < 10_000).await;
    assert!(refused_at(&house, full).await > full, "there is room again");
}

#[tokio::test]
async fn the_memory_limit_counts_buffers_and_refuses_points() {
    let mut house = House::new().await;
    let used = house.stats().accounted_bytes;
    house.restart_with(|options| options.limits.memory_bytes = used + 100_000).await;
    let mut time = 0;
    let error = loop {
        let lines = Lines::floats("a", (0..100).map(|at| (time + at, 0.5)));
        time += 100;
        if let Err(error) = house.write_points(&ns("n"), lines.0, false).await {
            break error;
        }
        assert!(time < 100_000, "the limit is reached at some time");
    };
    assert_eq!(error.kind(), &Kind::Full);
    assert_eq!(house.column("a", "v").len() as i64, time - 100, "what was told is there, and no more");
}
