//! All languages of patterns, against one matcher that keeps the set of places it may be at: slow, and plainly right.

use std::str::{Chars, Utf8Chunk};

use super::input::Input;
use crate::{
    cache,
    pubsub::{
        Pattern, Topic,
        glob::{self, Globs},
        tree::Tree,
    },
    series,
};

/// The matcher below takes steps in proportion to their product.
const PATTERN_BYTES: usize = 96;
const NAME_BYTES: usize = 192;

pub(super) fn matching(data: &[u8]) {
    let mut input = Input::new(data);
    let language = input.byte();
    let pattern = input.until(b'\n');
    let pattern = &pattern[..pattern.len().min(PATTERN_BYTES)];
    let name = &input.rest()[..input.rest().len().min(NAME_BYTES)];
    match language % 5 {
        0 => shell(&String::from_utf8_lossy(pattern), &String::from_utf8_lossy(name), name),
        1 => keys_of_a_cache(&String::from_utf8_lossy(pattern), name),
        2 => segments(pattern, name),
        3 => topics(pattern, name),
        _ => tags(&String::from_utf8_lossy(pattern), &String::from_utf8_lossy(name)),
    }
}

/// A step of a pattern over items.
enum Step<T> {
    Any,
    One(Box<dyn Fn(&T) -> bool>),
}

fn fits<T>(steps: &[Step<T>], text: &[T]) -> bool {
    // at[n]: n items of the text can be behind us.
    let mut at = vec![false; text.len() + 1];
    at[0] = true;
    for step in steps {
        let mut next = vec![false; text.len() + 1];
        match step {
            Step::Any => {
                let first = at.iter().position(|reached| *reached);
                next[first.unwrap_or(text.len() + 1).min(text.len() + 1)..].fill(true);
            }
            Step::One(is) => {
                for (index, item) in text.iter().enumerate() {
                    next[index + 1] = at[index] && is(item);
                }
            }
        }
        at = next;
    }
    at[text.len()]
}

fn simple<T: Copy + PartialEq + 'static>(pattern: &[T], star: T, mark: Option<T>) -> Vec<Step<T>> {
    let step = |item: &T| match *item {
        item if item == star => Step::Any,
        item if Some(item) == mark => Step::One(Box::new(|_: &T| true)),
        item => Step::One(Box::new(move |found: &T| *found == item)),
    };
    pattern.iter().map(step).collect()
}

fn shell(pattern: &str, name: &str, raw: &[u8]) {
    let Ok(glob) = crate::Glob::new(pattern) else { return };
    let text: Vec<char> = name.chars().collect();
    let matches = glob.matches(name.as_bytes());
    assert_eq!(matches, fits(&shell_steps(pattern.chars()), &text), "{pattern:?} over {name:?}");
    assert!(!matches || name.as_bytes().starts_with(glob.prefix()), "{pattern:?} over {name:?}");
    if glob.matches(raw) {
        assert!(raw.starts_with(glob.prefix()));
    }
}

fn shell_steps(mut rest: Chars<'_>) -> Vec<Step<char>> {
    let itself = |character: char| Step::One(Box::new(move |found: &char| *found == character));
    let mut steps: Vec<Step<char>> = Vec::new();
    while let Some(character) = rest.next() {
        steps.push(match character {
            '*' => Step::Any,
            '?' => Step::One(Box::new(|_| true)),
            '\\' => itself(rest.next().unwrap_or('\\')),
            '[' => match class(rest.as_str()) {
                Some((ranges, not, behind)) => {
                    rest = behind.chars();
                    Step::One(Box::new(move |found| ranges.iter().any(|(a, b)| a <= found && found <= b) != not))
                }
                None => itself('['),
            },
            other => itself(other),
        });
    }
    steps
}

/// First and last characters.
type Ranges = Vec<(char, char)>;

/// The ranges of a class, whether it means all others, and what is behind it.
fn class(text: &str) -> Option<(Ranges, bool, &str)> {
    let (not, mut text) = text.strip_prefix('^').map_or((false, text), |rest| (true, rest));
    let take = |text: &mut &str| {
        let first = text.chars().next()?;
        *text = &text[first.len_utf8()..];
        Some(first)
    };
    let mut ranges = Vec::new();
    loop {
        let mut first = take(&mut text)?;
        if first == ']' {
            return (!ranges.is_empty()).then_some((ranges, not, text));
        }
        if first == '\\' {
            first = take(&mut text)?;
        }
        let mut last = first;
        if let Some(end) = text.strip_prefix('-').and_then(|behind| behind.chars().next()).filter(|end| *end != ']') {
            last = end;
            text = &text[1 + end.len_utf8()..];
        }
        ranges.push((first.min(last), first.max(last)));
    }
}

fn keys_of_a_cache(pattern: &str, key: &[u8]) {
    // Of what is no UTF-8 each byte is a character, and one that no pattern has.
    let beyond = u32::from(char::MAX) + 1;
    let other = |byte: &u8| beyond + u32::from(*byte);
    let characters = |chunk: Utf8Chunk<'_>| -> Vec<u32> {
        chunk.valid().chars().map(u32::from).chain(chunk.invalid().iter().map(other)).collect()
    };
    let text: Vec<u32> = key.utf8_chunks().flat_map(characters).collect();
    let steps: Vec<u32> = pattern.chars().map(u32::from).collect();
    let naive = fits(&simple(&steps, u32::from('*'), Some(u32::from('?'))), &text);
    assert_eq!(cache::Glob::new(pattern).matches(key), naive, "{pattern:?} over {key:?}");
}

/// Several globs at once, found by their ends.
fn segments(patterns: &[u8], segment: &[u8]) {
    let globs: Vec<&[u8]> = patterns.split(|byte| *byte == b' ').filter(|glob| glob.contains(&b'*')).collect();
    let mut all = Globs::<Vec<u8>>::default();
    for glob in &globs {
        *all.entry(glob) = glob.to_vec();
    }
    let mut found = Vec::new();
    all.matching(segment, |glob| found.push(glob.clone()));
    found.sort();
    let naive = |glob: &[u8]| fits(&simple(glob, b'*', None), segment);
    let mut expected: Vec<Vec<u8>> = globs.iter().filter(|glob| naive(glob)).map(|glob| glob.to_vec()).collect();
    expected.sort();
    expected.dedup();
    assert_eq!(found, expected, "{globs:?} over {segment:?}");
    for glob in &globs {
        assert_eq!(glob::matches(glob, segment), naive(glob), "{glob:?} over {segment:?}");
        all.change(glob, |_| true);
    }
    assert!(all.is_empty());
}

fn topics(pattern: &[u8], topic: &[u8]) {
    let (Ok(pattern), Ok(topic)) = (Pattern::new(pattern.to_vec()), Topic::new(topic.to_vec())) else { return };
    let texts: Vec<&[u8]> = topic.as_bytes().split(|byte| *byte == b'.').collect();
    let steps = pattern.as_bytes().split(|byte| *byte == b'.').map(|segment| match segment {
        b"#" => Step::Any,
        segment => {
            let segment = segment.to_vec();
            Step::One(Box::new(move |text: &&[u8]| fits(&simple(&segment, b'*', None), text)) as Box<dyn Fn(&_) -> _>)
        }
    });
    let naive = fits(&steps.collect::<Vec<_>>(), &texts);
    assert_eq!(pattern.matches(&topic), naive, "{pattern:?} over {topic:?}");
    if let Some(exact) = pattern.exact() {
        assert_eq!(naive, exact == topic, "{pattern:?} over {topic:?}");
    }
    let mut tree = Tree::default();
    tree.insert(&pattern, 7);
    let mut found = Vec::new();
    tree.matching(&topic, &mut found);
    assert_eq!(found.contains(&7), naive, "{pattern:?} over {topic:?}");
    tree.remove(&pattern, 7);
    found.clear();
    tree.matching(&topic, &mut found);
    assert!(found.is_empty(), "{pattern:?} over {topic:?}");
}

fn tags(pattern: &str, value: &str) {
    let (steps, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), value.chars().collect());
    if let Ok(glob) = series::Pattern::glob(pattern) {
        assert_eq!(glob.matches(value), fits(&simple(&steps, '*', Some('?')), &text), "{pattern:?} over {value:?}");
    }
    if let Ok(whole) = series::Pattern::regex(pattern)
        && whole.matches(value)
    {
        let somewhere = regex::RegexBuilder::new(pattern).dot_matches_new_line(true).build();
        assert!(somewhere.expect("it was compiled").is_match(value), "{pattern:?} over {value:?}");
    }
}
