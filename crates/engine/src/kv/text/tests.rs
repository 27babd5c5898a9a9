use std::time::Duration;

use manifold_store::disk::Reboot;
use proptest::prelude::*;

use super::*;
use crate::{
    feed::{ChangeOp, How},
    kv::{Expires, Increment, Put},
    tests::{ANN, House, START, brief, json, k, ns, put, refused},
    types::{FieldWhen, KeyType},
};

const MAX: usize = 100_000;

fn binary(bytes: &'static [u8]) -> Value {
    Value { encoding: Encoding::Binary, bytes: Bytes::from_static(bytes) }
}

impl House {
    async fn try_edit(&self, change: TextChange) -> Result<u64> {
        self.edit(&ns("n"), Edit { key: k("a"), change, max_bytes: MAX, actor: ANN }).await
    }

    async fn append(&self, with: &str) -> u64 {
        self.try_edit(TextChange::Append(Bytes::from(with.to_owned()))).await.expect("append")
    }

    async fn overwrite(&self, offset: usize, with: &str) -> Result<u64> {
        self.try_edit(TextChange::Overwrite { offset, with: Bytes::from(with.to_owned()) }).await
    }

    fn text(&self) -> String {
        let value = self.read("a").expect("an entry").value;
        assert_eq!(value.encoding, Encoding::Json);
        String::from_utf8(value.text().expect("a text").to_vec()).expect("UTF-8")
    }
}

#[test]
fn a_value_has_a_text() {
    for (value, text) in [
        (json("\"\""), &b""[..]),
        (json("\"a b\""), b"a b"),
        (json(r#""\u00e9\n\"""#), "é\n\"".as_bytes()),
        (json("42"), b"42"),
        (json(r#"{"a":"b"}"#), br#"{"a":"b"}"#),
        (json("null"), b"null"),
        (binary(b"\"x\""), b"\"x\""),
        (binary(&[255]), &[255]),
    ] {
        assert_eq!(&value.text().expect("a text")[..], text, "{value:?}");
    }
    assert_eq!(refused(json(r#""\ud800""#).text()).kind(), &Kind::Invalid);
}

proptest! {
    #[test]
    fn an_edited_text_is_the_old_one_with_the_change(before: Vec<u8>, offset in 0..300usize, with: Vec<u8>) {
        let mut expected = before.clone();
        expected.resize(before.len().max(offset + with.len()), 0);
        expected[offset..offset + with.len()].copy_from_slice(&with);
        let change = TextChange::Overwrite { offset, with: with.clone().into() };
        let after = edited(before.clone().into(), &change, MAX).expect("short");
        prop_assert_eq!(&after[..], &expected[..]);
        let after = edited(before.clone().into(), &TextChange::Append(with.clone().into()), MAX).expect("short");
        prop_assert_eq!(&after[..], &[before, with].concat()[..]);
    }

    #[test]
    fn the_text_of_a_string_is_the_string(text: String) {
        let value = Value::of_text(&text);
        prop_assert_eq!(&value.text().expect("a text")[..], text.as_bytes());
    }
}

#[tokio::test]
async fn a_text_grows_and_changes_and_survives_a_restart() {
    let mut house = House::new().await;
    assert_eq!(house.append("Hello").await, 5);
    assert_eq!(house.append(" \"é\"").await, 10);
    house.restart().await;
    assert_eq!(house.text(), "Hello \"é\"");
    assert_eq!(house.overwrite(0, "J").await.expect("overwrite"), 10);
    assert_eq!(house.overwrite(12, "!").await.expect("overwrite"), 13);
    house.crash(Reboot::Lost).await;
    assert_eq!(house.text(), "Jello \"é\"\0\0!");
    assert_eq!(house.read("a").expect("an entry").version, 4);
}

#[tokio::test]
async fn any_value_is_edited_by_its_text() {
    let house = House::new().await;
    for (value, text) in [(json("42"), "42x"), (json(r#""a\tb""#), "a\tbx"), (binary(b"raw"), "rawx")] {
        house.put(&ns("n"), Put { value, ..put("a", "") }).await.expect("put");
        assert_eq!(house.append("x").await, text.len() as u64);
        assert_eq!(house.text(), text);
    }
}

#[tokio::test]
async fn an_edit_keeps_the_deadline_and_an_expired_text_is_gone() {
    let house = House::new().await;
    house.put(&ns("n"), brief("a", "\"x\"", 1000)).await.expect("put");
    house.append("y").await;
    assert_eq!(house.read("a").expect("an entry").expires_at, Some(START.plus(Duration::from_secs(1))));
    house.advance(1000);
    assert_eq!(house.append("z").await, 1);
    let entry = house.read("a").expect("an entry");
    assert_eq!((entry.expires_at, entry.version), (None, 4));
}

#[tokio::test]
async fn what_is_no_text_or_too_long_is_refused_and_changes_nothing() {
    let house = House::new().await;
    house.set("a", "\"é\"").await;
    assert_eq!(refused(house.overwrite(0, "x").await).kind(), &Kind::Invalid);
    assert_eq!(refused(house.overwrite(MAX, "x").await).kind(), &Kind::TooLarge);
    assert_eq!(refused(house.overwrite(usize::MAX, "x").await).kind(), &Kind::TooLarge);
    assert_eq!(house.overwrite(usize::MAX, "").await.expect("nothing"), 2);
    assert_eq!(house.read("a").expect("an entry").version, 1);
    house.put(&ns("n"), Put { value: binary(&[255]), ..put("a", "") }).await.expect("put");
    let appended = house.try_edit(TextChange::Append(Bytes::from_static(b"x"))).await;
    assert_eq!(refused(appended).kind(), &Kind::Invalid);

    house.hash_set(&ns("n"), &k("h"), vec![("f".into(), "v".into())], FieldWhen::Always).await.expect("hash_set");
    let change = TextChange::Append(Bytes::from_static(b"x"));
    let appended = house.edit(&ns("n"), Edit { key: k("h"), change, max_bytes: MAX, actor: ANN }).await;
    let wrong = Kind::WrongType { actual: KeyType::Hash, expected: KeyType::String };
    assert_eq!(refused(appended).kind(), &wrong);
}

#[tokio::test]
async fn an_absent_text_is_not_made_of_nothing() {
    let house = House::new().await;
    assert_eq!(house.overwrite(5, "").await.expect("nothing"), 0);
    assert!(house.read("a").is_none());
    assert_eq!(house.append("").await, 0);
    assert_eq!(house.text(), "");
}

#[tokio::test]
async fn the_feed_says_how_a_value_was_set() {
    let mut house = House::new().await;
    house.set("a", "7").await;
    let increment = Increment { key: k("a"), by: 1, actor: ANN };
    house.increment(&ns("n"), increment).await.expect("increment");
    house.append("x").await;
    house.overwrite(0, "y").await.expect("overwrite");
    for expires in [Expires::In(Duration::from_secs(1)), Expires::Never] {
        house.key_expire(&ns("n"), &k("a"), expires, &ANN).await.expect("another deadline");
    }
    let how = [How::Put, How::Increment, How::Append, How::Overwrite, How::Retime, How::Retime];
    for _ in 0..2 {
        let feed = house.feed().await;
        let found: Vec<_> = feed.iter().map(|change| (change.op, change.expires_at.is_some())).collect();
        let expected: Vec<_> = (0..).zip(how).map(|(at, how)| (ChangeOp::Set(how), at == 4)).collect();
        assert_eq!(found, expected);
        house.restart().await;
    }
}
