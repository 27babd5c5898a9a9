//! Any name and any value, written through one dialect, reads through all of them as the rules of the contracts say: JSON
//! keeps its text, bytes keep themselves.

use std::cell::RefCell;

use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};

use super::{
    model::{Expires, Name, Value, When},
    play::Player,
    rounds,
    spell::{
        Addresses, Step, flo,
        synap::{self, Command, Key},
        unison::{self, Put, Verb, Way},
    },
    want::quoted,
};
use crate::harness::{Server, Settings};

const SPACES: [&str; 8] = [synap::SPACE, "tenant:acme/a b", "50%", "\u{fc}/\u{20ac}", "a//b", "..", " ", "+"];

#[test]
fn any_name_and_any_value_read_the_same_through_every_dialect() {
    let server = Server::with(Settings::fast());
    let player = RefCell::new(Player::new(0, Addresses::of(&server)));
    let cases = u32::try_from(100 * rounds(1)).expect("so many cases");
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let written = (names(), values(), 0..3_u8);
    let done = runner.run(&written, |(name, value, writer)| {
        let mut player = player.borrow_mut();
        let mut play = |step| player.play(step).map(|_| ()).map_err(TestCaseError::fail);
        play(write(&name, &value, writer))?;
        reads(&name).into_iter().try_for_each(&mut play)?;
        // A version is never used again, so that the next case is not this one once more.
        play(remove(&name, writer))?;
        reads(&name).into_iter().try_for_each(play)
    });
    done.unwrap_or_else(|failed| panic!("{failed}"));
}

fn write(name: &Name, value: &Value, writer: u8) -> Step {
    let name = name.clone();
    match value {
        Value::Bytes(bytes) => {
            Step::Flo(flo::Ask::Put { name, value: bytes.clone(), ttl_seconds: None, when: When::Always })
        }
        Value::Json(text) if writer == 0 && name.space == synap::SPACE => {
            command(Key::Set { name, value: text.clone(), ttl: None, when: When::Always })
        }
        Value::Json(text) => {
            let put = Put { name, value: text.clone(), when: When::Always, expires: Expires::Never, actor: None };
            Step::Unison(unison::Ask { way: if writer == 1 { Way::Rest } else { Way::Socket }, verb: Verb::Put(put) })
        }
    }
}

fn remove(name: &Name, writer: u8) -> Step {
    let name = name.clone();
    match writer {
        0 if name.space == synap::SPACE => command(Key::Del(vec![name])),
        1 => Step::Flo(flo::Ask::Delete { name, cas_version: None }),
        _ => Step::Unison(unison::Ask { way: Way::Rest, verb: Verb::Delete { name, when: When::Always, actor: None } }),
    }
}

/// The key as every dialect that knows its namespace shows it.
fn reads(name: &Name) -> Vec<Step> {
    let get = |way| Step::Unison(unison::Ask { way, verb: Verb::Get(name.clone()) });
    let mut reads = vec![get(Way::Rest), get(Way::Socket), Step::Flo(flo::Ask::Get(name.clone()))];
    if name.space == synap::SPACE {
        reads.extend([command(Key::Get(name.clone())), command(Key::MGet(vec![name.clone()]))]);
    }
    reads
}

fn command(key: Key) -> Step {
    Step::Synap(synap::Ask { way: synap::Way::Envelope, commands: vec![Command::Key(key)] })
}

fn names() -> impl Strategy<Value = Name> {
    let name = prop_oneof![any_text(), "[a/%+. ?#&=:;\"\\\\]{1,8}"].prop_filter("a key", |name| !name.is_empty());
    (proptest::sample::select(&SPACES[..]), name).prop_map(|(space, name)| Name { space, name })
}

fn any_text() -> impl Strategy<Value = String> {
    proptest::collection::vec(any::<char>().prop_filter("no NUL", |character| *character != '\0'), 0..24)
        .prop_map(|text| text.into_iter().collect())
}

fn values() -> impl Strategy<Value = Value> {
    let bytes = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..64),
        any_text().prop_map(String::into_bytes),
        json().prop_map(String::into_bytes),
    ];
    prop_oneof![json().prop_map(Value::Json), bytes.prop_map(Value::Bytes)]
}

/// JSON texts, in spellings that a parser would not keep.
fn json() -> impl Strategy<Value = String> {
    let number = "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?";
    let escaped = "[a-z]{0,3}(\\\\u00[0-7][0-9a-f]|\\\\n|\\\\/|\\\\\"){0,3}".prop_map(|text| format!("\"{text}\""));
    let string = prop_oneof![any_text().prop_map(|text| quoted(&text)), escaped];
    let word = proptest::sample::select(&["null", "true", "false", "\"\"", "[]", "{}"][..]).prop_map(str::to_owned);
    let leaf = prop_oneof![number, string.clone(), word];
    leaf.prop_recursive(4, 16, 4, move |inner| {
        let space = proptest::sample::select(&["", " ", "\n", "\t "][..]);
        let array = (proptest::collection::vec(inner.clone(), 0..4), space.clone())
            .prop_map(|(elements, space)| format!("[{space}{}{space}]", elements.join(&format!("{space},"))));
        let member = (string.clone(), inner).prop_map(|(name, value)| format!("{name} :{value}"));
        let object = (proptest::collection::vec(member, 0..4), space)
            .prop_map(|(members, space)| format!("{{{space}{}}}", members.join(&format!(",{space}"))));
        prop_oneof![array, object]
    })
}
