//! Random queries, printed with random white space, mean what they were made from; and nothing makes the reader panic.

use proptest::{collection::vec, option, prelude::*};

use super::{
    super::script::{Instant, Range, Script, Source, Step, When},
    *,
};

/// A text and what it should be read as.
type Printed<T> = (String, T);

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn name() -> impl Strategy<Value = Printed<String>> {
    let bare = "[a-zA-Z_äλ\u{a0}][a-zA-Z0-9_.:/ä-]{0,6}".prop_map(|name| (name.clone(), name));
    let any = "[ -~äλ\n]{0,8}".prop_map(|name| (quoted(&name), name));
    prop_oneof![bare, any]
}

fn duration() -> impl Strategy<Value = Printed<i64>> {
    const UNITS: [(&str, i64); 6] =
        [("ms", 1_000_000), ("s", 1_000_000_000), ("m", MINUTE), ("h", HOUR), ("d", 24 * HOUR), ("w", 168 * HOUR)];
    vec((1..500_i64, 0..UNITS.len()), 1..4).prop_map(|parts| {
        let text = parts.iter().map(|(count, unit)| format!("{count}{}", UNITS[*unit].0)).collect();
        (text, parts.iter().map(|(count, unit)| count * UNITS[*unit].1).sum())
    })
}

fn instant() -> impl Strategy<Value = Printed<When>> {
    // A nanosecond of each second that four digits of a year can say.
    let date = (-9_000_000_000_i64..9_000_000_000, 0..1_000_000_000_i64).prop_map(|(seconds, nanos)| {
        let nanos = seconds * 1_000_000_000 + nanos;
        (jiff::Timestamp::from_nanosecond(nanos.into()).unwrap().to_string(), When::Nanos(nanos))
    });
    prop_oneof![
        any::<i64>().prop_map(|number| (number.to_string(), When::Number(number))),
        date,
        prop_oneof!["now", "NOW", "Now"].prop_map(|now| (now, When::Now)),
        duration().prop_map(|(text, nanos)| (format!("-{text}"), When::Ago(nanos))),
    ]
}

fn range() -> impl Strategy<Value = Printed<Range>> {
    // Where an instant stands is tested elsewhere; see `unplaced`.
    let at = |when| Instant { at: 0, when };
    prop_oneof![
        duration().prop_map(move |(text, nanos)| (text, Range::Since(at(When::Ago(nanos))))),
        instant().prop_map(move |(text, when)| (text, Range::Since(at(when)))),
        (instant(), instant()).prop_map(move |(first, last)| {
            (format!("{} .. {}", first.0, last.0), Range::Between(at(first.1), at(last.1)))
        }),
    ]
}

fn unplaced(mut script: Script) -> Script {
    match &mut script.source.range {
        None => {}
        Some(Range::Since(only)) => only.at = 0,
        Some(Range::Between(first, last)) => (first.at, last.at) = (0, 0),
    }
    script
}

fn filter() -> impl Strategy<Value = Printed<TagFilter>> {
    let value = prop_oneof![
        "[a-z0-9=!~*._äλ\"']{0,6}[a-z0-9]"
            .prop_filter("is quoted", |text| !text.starts_with(['"', '\'', '=', '~']))
            .prop_map(|text| (text.clone(), text)),
        "[ -~äλ\n]{0,8}".prop_map(|text| (quoted(&text), text)),
    ];
    let glob = "[a-z*? -]{0,8}".prop_map(|text| (quoted(&text), Pattern::glob(&text).unwrap()));
    let regex = "[a-z]{0,3}(\\.\\*|[+]|\\|[a-z])"
        .prop_filter_map("no pattern", |text| Some((quoted(&text), Pattern::regex(&text).ok()?)));
    let test = prop_oneof![
        (prop_oneof![Just("="), Just("==")], value.clone())
            .prop_map(|(sign, (text, value))| (format!("{sign} {text}"), TagTest::Is(value))),
        value.prop_map(|(text, value)| (format!("!= {text}"), TagTest::IsNot(value))),
        prop_oneof![glob.clone(), regex.clone()]
            .prop_map(|(text, pattern)| (format!("=~ {text}"), TagTest::Matches(pattern))),
        prop_oneof![glob, regex].prop_map(|(text, pattern)| (format!("!~ {text}"), TagTest::MatchesNot(pattern))),
    ];
    (name(), test).prop_map(|((text, tag), (test_text, test))| (format!("{text}{test_text}"), TagFilter { tag, test }))
}

fn number() -> impl Strategy<Value = Printed<f64>> {
    prop_oneof![
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| (format!("{number:e}"), number)),
        (-1000..1000_i32, 0..100_u32).prop_map(|(whole, part)| {
            let text = format!("{whole}.{part:02}");
            (text.clone(), text.parse().unwrap())
        }),
    ]
}

/// Every operator is within parentheses, so that the text alone says the tree.
fn expression() -> impl Strategy<Value = Printed<Expr>> {
    let leaf = prop_oneof![
        Just(("value".to_owned(), Expr::Value)),
        number().prop_map(|(text, number)| match number.is_sign_negative() {
            true => (text, Expr::Negate(Expr::Number(-number).into())),
            false => (text, Expr::Number(number)),
        }),
    ];
    leaf.prop_recursive(6, 40, 2, |inner| {
        let operator = prop_oneof![
            Just(("+", Operator::Add)),
            Just(("-", Operator::Subtract)),
            Just(("*", Operator::Multiply)),
            Just(("/", Operator::Divide)),
            Just(("%", Operator::Remainder)),
        ];
        prop_oneof![
            inner.clone().prop_map(|(text, inner)| (format!("-({text})"), Expr::Negate(inner.into()))),
            (inner.clone(), operator, inner).prop_map(|((left, l), (sign, operator), (right, r))| {
                (format!("({left} {sign} {right})"), Expr::Binary(l.into(), operator, r.into()))
            }),
        ]
    })
}

fn aggregate() -> impl Strategy<Value = Printed<Step>> {
    let what = prop_oneof![
        Just(("avg", Aggregate::Avg)),
        Just(("mean", Aggregate::Avg)),
        Just(("Sum", Aggregate::Sum)),
        Just(("min", Aggregate::Min)),
        Just(("MAX", Aggregate::Max)),
        Just(("count", Aggregate::Count)),
        Just(("first", Aggregate::First)),
        Just(("last", Aggregate::Last)),
    ]
    .prop_map(|(name, what)| (name.to_owned(), Vec::new(), what));
    let percentile = (0..=100_u32)
        .prop_map(|rank| ("percentile".to_owned(), vec![rank.to_string()], Aggregate::Percentile(rank.into())));
    (prop_oneof![what, percentile], option::of(name()), option::of(duration())).prop_map(
        |((name, mut arguments, what), field, window)| {
            arguments.extend(field.iter().map(|(text, _)| text.clone()));
            arguments.extend(window.iter().map(|(text, _)| text.clone()));
            let step =
                Step::Aggregate { what, field: field.map(|field| field.1), window: window.map(|window| window.1) };
            (format!("{name}({})", arguments.join(" , ")), step)
        },
    )
}

fn step() -> impl Strategy<Value = Printed<Step>> {
    let comparison = prop_oneof![
        Just((">", Comparison::Greater)),
        Just((">=", Comparison::GreaterOrEqual)),
        Just(("<", Comparison::Less)),
        Just(("<=", Comparison::LessOrEqual)),
        Just(("==", Comparison::Equal)),
        Just(("!=", Comparison::NotEqual)),
    ];
    let names = |stage: &'static str, step: fn(Vec<String>) -> Step| {
        vec(name(), 1..4).prop_map(move |names| {
            let (texts, names): (Vec<_>, Vec<_>) = names.into_iter().unzip();
            (format!("{stage}({})", texts.join(",")), step(names))
        })
    };
    prop_oneof![
        4 => aggregate(),
        1 => duration().prop_map(|(text, nanos)| (format!("window({text})"), Step::Window(nanos))),
        1 => prop_oneof![
            Just(("rate()", Step::Rate)),
            Just(("rate(5m)", Step::Rate)),
            Just(("delta()", Step::Delta)),
            Just(("abs()", Step::Abs)),
            Just(("ceil()", Step::Ceil)),
            Just(("floor()", Step::Floor)),
            Just(("round()", Step::Round(0))),
        ].prop_map(|(text, step)| (text.to_owned(), step)),
        1 => (prop_oneof!["", "value "], comparison, number()).prop_map(|(value, (sign, comparison), (text, number))| {
            (format!("where({value}{sign} {text})"), Step::Where(comparison, number))
        }),
        1 => expression().prop_map(|(text, expression)| (format!("math({text})"), Step::Math(expression))),
        1 => (0..=15_u32).prop_map(|places| (format!("round({places})"), Step::Round(places))),
        1 => names("group_by", Step::GroupBy),
        1 => (1..9_usize).prop_map(|count| (format!("topk({count})"), Step::Top(count))),
        1 => (1..9_usize).prop_map(|count| (format!("bottomk({count})"), Step::Bottom(count))),
        1 => name().prop_map(|(text, name)| (format!("alias({text})"), Step::Alias(name))),
    ]
}

fn script() -> impl Strategy<Value = Printed<Script>> {
    (name(), option::of(vec(filter(), 0..4)), option::of(range()), vec(step(), 0..8), option::of(name())).prop_map(
        |((mut text, measurement), filters, range, steps, field)| {
            let mut script =
                Script { source: Source { measurement, filters: Vec::new(), range: None }, steps: Vec::new() };
            if let Some(filters) = filters {
                let (texts, filters): (Vec<_>, Vec<_>) = filters.into_iter().unzip();
                text += &format!("{{ {} }}", texts.join(" , "));
                script.source.filters = filters;
            }
            if let Some((range_text, range)) = range {
                text += &format!(" [ {range_text} ]");
                script.source.range = Some(range);
            }
            let field = field.map(|(text, name)| (format!("field({text})"), Step::Field(vec![name])));
            for (step_text, step) in steps.into_iter().chain(field) {
                text += &format!(" | {step_text}");
                script.steps.push(step);
            }
            (text, script)
        },
    )
}

proptest! {
    #[test]
    fn a_printed_query_is_read_as_it_was_meant((text, meant) in script()) {
        let read = parse(&text).map(unplaced);
        prop_assert_eq!(read, Ok(meant), "{}", text);
    }

    #[test]
    fn every_query_that_is_read_is_planned_or_refused_at_an_instant((text, _) in script(), now: i64) {
        let frame = Frame { precision: Precision::Millis, now, from: None, to: None };
        if let Err(mistake) = parse(&text).unwrap().plan(&frame, None) {
            prop_assert!(text[..mistake.at].contains('['), "{}: {}", text, mistake);
        }
    }

    #[test]
    fn a_damaged_query_is_read_or_refused_inside_it((text, _) in script(), at: prop::sample::Index, with in "\\PC?") {
        let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let at = boundaries[at.index(boundaries.len())];
        let mut damaged = text;
        damaged.remove(at);
        damaged.insert_str(at, &with);
        refused_inside(&damaged);
    }

    #[test]
    fn any_text_is_read_or_refused_inside_it(text in "\\PC{0,64}", floql in "[a-c(){}\\[\\]|=!~<>'\"\\\\0-9mhs.,+*/% -]{0,64}") {
        refused_inside(&text);
        refused_inside(&floql);
        refused_inside(&format!("cpu|{floql}"));
        refused_inside(&format!("cpu{{{floql}"));
        refused_inside(&format!("cpu[{floql}"));
        refused_inside(&format!("cpu|math({floql}"));
    }
}

fn refused_inside(text: &str) {
    if let Err(mistake) = parse(text) {
        assert!(text.is_char_boundary(mistake.at), "{text:?}: {mistake}");
    }
    if let Err(mistake) = parse_source(text) {
        assert!(text.is_char_boundary(mistake.at), "{text:?}: {mistake}");
    }
}
