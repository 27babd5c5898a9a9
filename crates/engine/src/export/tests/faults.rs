use super::*;

/// A file with a first line and these records.
fn lines(records: &[&str]) -> Vec<Numbered> {
    let text: String = records.iter().map(|line| format!("{line}\n")).collect();
    read_records(text.as_bytes(), 2).unwrap_or_else(|error| panic!("{error}"))
}

const QUEUE: &str = r#"{"type":"queue","namespace":"n","queue":"q","settings":{"max_attempts":5,"dedup_window_ms":1,"lease_ms":1,"default_priority":0},"last":5,"last_lease":0,"counted":{"acked":0,"purged":0,"delivered":0,"returned":0,"died":0,"letters_arrived":0,"letters_delivered":0,"letters_returned":0,"letters_acked":0}}"#;
const STREAM: &str = r#"{"type":"stream","namespace":"n","stream":"s","created_at":5,"first":3,"last_at":7}"#;

fn message(sequence: u64) -> String {
    format!(
        r#"{{"type":"message","namespace":"n","queue":"q","sequence":{sequence},"payload":{{"json":1}},"priority":0,"enqueued_at":1}}"#
    )
}

fn record(offset: u64, at: u64) -> String {
    format!(r#"{{"type":"record","namespace":"n","stream":"s","offset":{offset},"at":{at},"payload":"x"}}"#)
}

#[tokio::test]
async fn lines_that_break_a_rule_are_refused_where_they_stand() {
    let kv =
        |members: &str| format!(r#"{{"type":"kv","namespace":"n","key":"k",{members},"actor":"a","updated_at":1}}"#);
    let long = format!(r#"{{"type":"floor","namespace":"{}","version":1}}"#, "n".repeat(2000));
    let (two, six) = (message(2), message(6));
    let (third, fifth, early) = (record(3, 7), record(5, 7), record(3, 6));
    let path = r#"{"type":"page_record","host":1,"dimension":1,"hash":1,"gone_at":99999999999,"url":"/","file_path":"a/../../b"}"#;
    let set = r#"{"type":"set","namespace":"n","key":"c","elements":["a","b"]}"#;
    let cases: Vec<(Vec<&str>, u64, &str)> = vec![
        (vec![&long], 2, "too long"),
        (vec![r#"{"type":"set","namespace":"n","key":"c","elements":["a","a"]}"#], 2, "twice"),
        (vec![r#"{"type":"set","namespace":"n","key":"c","elements":[]}"#], 2, "an element at least"),
        (vec![r#"{"type":"set","namespace":"n","key":"c","from":2,"elements":["a"]}"#], 2, "does not stand before it"),
        (
            vec![set, r#"{"type":"set","namespace":"n","key":"c","from":1,"elements":["c"]}"#],
            3,
            "elements of the lines before",
        ),
        (
            vec![set, r#"{"type":"list","namespace":"n","key":"c","from":2,"elements":["c"]}"#],
            3,
            "elements of the lines before",
        ),
        (vec![set, set], 3, "holds a set already"),
        (vec![&two], 2, "does not stand before it"),
        (vec![QUEUE, &six], 3, "has given numbers to"),
        (vec![QUEUE, &two, &two], 4, "twice"),
        (vec![QUEUE, QUEUE], 3, "there is a queue"),
        (vec![STREAM, &fifth], 3, "does not follow"),
        (vec![STREAM, &early], 3, "older than the one before"),
        (
            vec![
                STREAM,
                &third,
                r#"{"type":"pending","namespace":"n","stream":"s","group":"g","pending":[[3,1,null]]}"#,
            ],
            4,
            "no group",
        ),
        (vec![path], 2, "leads out"),
        (
            vec![
                r#"{"type":"points","namespace":"n","measurement":"m","tags":{},"field":"f","times":[1,2],"ints":[1]}"#,
            ],
            2,
            "as many values",
        ),
        (
            vec![
                r#"{"type":"points","namespace":"n","measurement":"m","tags":{},"field":"f","times":[1],"ints":[1]}"#,
                r#"{"type":"points","namespace":"n","measurement":"m","tags":{},"field":"f","times":[2],"texts":["x"]}"#,
            ],
            3,
            "of another kind",
        ),
        (
            vec![r#"{"type":"document","space":"","key":"k","value":"v","created_at":1,"updated_at":1}"#],
            2,
            "no file for documents",
        ),
    ];
    for (records, line, wrong) in cases {
        let house = House::new().await;
        let mut import = house.import("i", OnConflict::Fail).expect("an import");
        let error = import.apply(&lines(&records)).await.expect_err(wrong);
        assert_eq!(error.line, line, "{error}");
        assert!(error.to_string().contains(wrong), "{error} is not about {wrong}");
        assert_eq!(import.line(), line - 1, "every line before it is done");
    }
    for (value, wrong) in [
        (kv(r#""value":{"json":1},"version":9007199254740993"#), "counted to"),
        (kv(r#""value":{},"version":1"#), "a value has one of"),
        (kv(r#""value":{"json_text":"{"},"version":1"#), "no JSON text"),
    ] {
        let house = House::new().await;
        let mut import = house.import("i", OnConflict::Fail).expect("an import");
        let error = import.apply(&lines(&[&value])).await.expect_err(wrong);
        assert!(error.to_string().contains(wrong), "{error} is not about {wrong}");
    }
}

#[tokio::test]
async fn an_import_that_is_interrupted_anywhere_goes_on() {
    let house = House::new().await;
    furnish(&house).await;
    let file = file_of(&house, Selection::default()).await;
    let before = records(&file);
    let mut line = 1;
    while line < before.len() {
        let mut other = beside(&house).await;
        for on_conflict in [OnConflict::Skip, OnConflict::Fail] {
            import_some(&other, &file, on_conflict, line).await.expect("a part");
            other.crash(Reboot::Mixed(line as u64)).await;
        }
        let imported = import_all(&other, &file, OnConflict::Fail).await.expect("the rest");
        assert_eq!(imported.written + imported.same, (before.len() - line) as u64, "the rest and no more");
        assert_same(&records_of(&other).await, &before);
        line += 2 + line / 2;
    }
}

#[tokio::test]
async fn an_import_into_too_little_memory_stops_and_goes_on() {
    let house = House::new().await;
    for i in 0..50 {
        house.set(&format!("k{i:03}"), &format!("\"{}\"", "x".repeat(100))).await;
    }
    let file = file_of(&house, Selection::default()).await;
    let mut other = House::with(|options| options.limits.memory_bytes = 2000).await;
    // A commit is accepted as long as there was room before it.
    other.set("full", &format!("\"{}\"", "x".repeat(3000))).await;
    let error = import_all(&other, &file, OnConflict::Fail).await.expect_err("no room");
    assert_eq!(*error.error.kind(), crate::Kind::Full);
    other.restart_with(|options| options.limits.memory_bytes = 0).await;
    import_all(&other, &file, OnConflict::Fail).await.expect("the rest");
    assert!(other.read("k049").is_some());
}
