//! The stages of a query: their names and their arguments.

use manifold_engine::series::{Aggregate, Comparison};

use super::{cursor::Cursor, literal, math, mistake::Mistake, script::Step};

/// Reads what stands between the parentheses of a stage.
type Arguments = fn(&mut Cursor<'_>) -> Result<Step, Mistake>;

/// Every stage.
const STAGES: [(&str, Arguments); 23] = [
    ("avg", |cursor| aggregate(cursor, Aggregate::Avg)),
    ("mean", |cursor| aggregate(cursor, Aggregate::Avg)),
    ("sum", |cursor| aggregate(cursor, Aggregate::Sum)),
    ("min", |cursor| aggregate(cursor, Aggregate::Min)),
    ("max", |cursor| aggregate(cursor, Aggregate::Max)),
    ("count", |cursor| aggregate(cursor, Aggregate::Count)),
    ("first", |cursor| aggregate(cursor, Aggregate::First)),
    ("last", |cursor| aggregate(cursor, Aggregate::Last)),
    ("percentile", percentile),
    ("window", |cursor| literal::duration(cursor).map(Step::Window)),
    ("rate", rate),
    ("delta", |_| Ok(Step::Delta)),
    ("where", filter),
    ("math", |cursor| math::expression(cursor).map(Step::Math)),
    ("round", round),
    ("abs", |_| Ok(Step::Abs)),
    ("ceil", |_| Ok(Step::Ceil)),
    ("floor", |_| Ok(Step::Floor)),
    ("group_by", group_by),
    ("topk", |cursor| ranks(cursor).map(Step::Top)),
    ("bottomk", |cursor| ranks(cursor).map(Step::Bottom)),
    ("field", |cursor| names(cursor, "a field").map(Step::Field)),
    ("alias", |cursor| cursor.name("a name").map(Step::Alias)),
];

/// Most tags to group by.
const MOST_TAGS: usize = 64;
/// Most decimal places to round to.
const MOST_PLACES: usize = 15;

/// `ident '(' arguments ')'`
pub(super) fn stage(cursor: &mut Cursor<'_>) -> Result<Step, Mistake> {
    let at = cursor.at();
    let word = cursor.word();
    if word.is_empty() {
        return Err(cursor.unexpected("a stage"));
    }
    let Some((_, arguments)) = STAGES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)) else {
        let all = STAGES.map(|(name, _)| name).join(", ");
        return Err(Mistake::new(at, format!("unknown stage '{word}'"), format!("one of {all}")));
    };
    cursor.expect("(", "'('")?;
    let step = arguments(cursor)?;
    cursor.expect(")", "')'")?;
    Ok(step)
}

fn ends(cursor: &mut Cursor<'_>) -> bool {
    cursor.peek() == Some(b')')
}

/// `[field] [, window]`, or only the window.
fn aggregate(cursor: &mut Cursor<'_>, what: Aggregate) -> Result<Step, Mistake> {
    if ends(cursor) {
        return Ok(Step::Aggregate { what, field: None, window: None });
    }
    field_and_window(cursor, what)
}

fn field_and_window(cursor: &mut Cursor<'_>, what: Aggregate) -> Result<Step, Mistake> {
    let starts_with_digit = cursor.peek().is_some_and(|b| b.is_ascii_digit());
    let field = if starts_with_digit { None } else { Some(cursor.name("a field or a window")?) };
    let window = if field.is_none() || cursor.take(",") { Some(literal::duration(cursor)?) } else { None };
    Ok(Step::Aggregate { what, field, window })
}

fn percentile(cursor: &mut Cursor<'_>) -> Result<Step, Mistake> {
    let at = cursor.at();
    let rank = literal::number(cursor, "a number from 0 to 100")?;
    if !(0.0..=100.0).contains(&rank) {
        return Err(Mistake::new(at, "the percentile is out of range", "a number from 0 to 100"));
    }
    let what = Aggregate::Percentile(rank);
    if cursor.take(",") {
        return field_and_window(cursor, what);
    }
    Ok(Step::Aggregate { what, field: None, window: None })
}

/// The duration is for those who are used to giving one: neighbours decide.
fn rate(cursor: &mut Cursor<'_>) -> Result<Step, Mistake> {
    if !ends(cursor) {
        literal::duration(cursor)?;
    }
    Ok(Step::Rate)
}

/// `[value] op number`
fn filter(cursor: &mut Cursor<'_>) -> Result<Step, Mistake> {
    const COMPARISONS: [(&str, Comparison); 6] = [
        (">=", Comparison::GreaterOrEqual),
        (">", Comparison::Greater),
        ("<=", Comparison::LessOrEqual),
        ("<", Comparison::Less),
        ("==", Comparison::Equal),
        ("!=", Comparison::NotEqual),
    ];
    let at = cursor.at();
    match cursor.word() {
        "" | "value" => {}
        other => return Err(Mistake::new(at, format!("unknown name '{other}'"), "value")),
    }
    let Some((_, comparison)) = COMPARISONS.iter().find(|(sign, _)| cursor.take(sign)) else {
        return Err(cursor.unexpected("one of > >= < <= == !="));
    };
    Ok(Step::Where(*comparison, literal::number(cursor, "a number")?))
}

fn round(cursor: &mut Cursor<'_>) -> Result<Step, Mistake> {
    if ends(cursor) {
        return Ok(Step::Round(0));
    }
    let at = cursor.at();
    let places = literal::natural(cursor, "a number of places from 0 to 15")?;
    if places > MOST_PLACES {
        return Err(Mistake::new(at, "too many decimal places", "a number of places from 0 to 15"));
    }
    Ok(Step::Round(places as u32))
}

fn ranks(cursor: &mut Cursor<'_>) -> Result<usize, Mistake> {
    let at = cursor.at();
    match literal::natural(cursor, "a number from 1")? {
        0 => Err(Mistake::new(at, "the number of series is zero", "a number from 1")),
        count => Ok(count),
    }
}

fn group_by(cursor: &mut Cursor<'_>) -> Result<Step, Mistake> {
    let at = cursor.at();
    let tags = names(cursor, "a tag")?;
    if tags.len() > MOST_TAGS {
        return Err(Mistake::new(at, "too many tags", format!("at most {MOST_TAGS} tags")));
    }
    Ok(Step::GroupBy(tags))
}

fn names(cursor: &mut Cursor<'_>, expected: &'static str) -> Result<Vec<String>, Mistake> {
    let mut names = vec![cursor.name(expected)?];
    while cursor.take(",") {
        names.push(cursor.name(expected)?);
    }
    Ok(names)
}
