use manifold_engine::{
    Actor, Key, Namespace, Timestamp,
    feed::{ChangeOp, How},
    kv::{Encoding, Value},
};

use super::*;

fn change(seq: u64, bytes: usize) -> Arc<Change> {
    Arc::new(Change {
        seq,
        op: ChangeOp::Set(How::Put),
        namespace: Namespace::new("n").unwrap(),
        key: Key::new("k").unwrap(),
        value: Some(Value { encoding: Encoding::Json, bytes: Bytes::from("7".repeat(bytes)) }),
        version: seq,
        actor: Actor::fixed("api"),
        at: Timestamp(1),
        expires_at: None,
        commit: (seq, seq),
        previous: None,
    })
}

fn page(changes: Vec<Arc<Change>>) -> FeedPage {
    FeedPage { changes, last_seq: 9, head: 9, oldest_seq: 1, reset: false, truncated: false }
}

fn text(page: &FeedPage) -> String {
    let mut records = Records::new(Form::default());
    let end = records.add(page);
    String::from_utf8(records.into_page(end.last_seq, page)).unwrap()
}

fn query(raw: &str) -> Query<'_> {
    Query::parse(Some(raw)).unwrap()
}

#[test]
fn a_page_says_where_to_go_on() {
    assert_eq!(text(&page(vec![])), r#"{"changes":[],"lastSeq":9}"#);
    let reset = FeedPage { reset: true, ..page(vec![]) };
    assert_eq!(text(&reset), r#"{"changes":[],"lastSeq":9,"reset":true}"#);
    let truncated = FeedPage { truncated: true, oldest_seq: 4, ..page(vec![]) };
    assert_eq!(text(&truncated), r#"{"changes":[],"lastSeq":9,"truncated":true,"oldestSeq":4}"#);
}

#[test]
fn a_page_ends_before_it_passes_its_size_but_holds_one_record() {
    let half = PAGE_BYTES / 2;
    let trimmed = text(&page(vec![change(3, half), change(5, half), change(6, 1)]));
    assert!(trimmed.len() < PAGE_BYTES && trimmed.ends_with("],\"lastSeq\":3}"));
    let single = text(&page(vec![change(3, PAGE_BYTES), change(4, 1)]));
    assert!(single.ends_with("],\"lastSeq\":3}") && single.len() > PAGE_BYTES);
    let all = text(&page(vec![change(3, half), change(5, 1)]));
    assert!(all.ends_with("],\"lastSeq\":9}"));
}

#[test]
fn parameters_have_bounds() {
    assert_eq!(limit(None), Ok(100));
    assert_eq!(limit(Some(5_000)), Ok(1_000));
    assert_eq!(limit(Some(0)).unwrap_err().text(), "limit must be a positive integer");
    assert_eq!(wait(&query("wait=0")), Ok(None));
    assert_eq!(wait(&query("wait=99999999")), Ok(Some(Duration::from_secs(60))));
    assert_eq!(wait(&query("wait=-1")).unwrap_err().text(), "wait must not be negative");
    assert_eq!(after(&query("after=-3")), Ok(Some(0)));
    assert_eq!(after(&query("after=x")).unwrap_err().text(), "after must be an integer");
    assert_eq!(OnGap::of(&query("onGap=error")), Ok(OnGap::Error));
    assert!(OnGap::of(&query("onGap=x")).is_err());
}

#[test]
fn filters_are_taken_when_they_are_not_empty() {
    let query = query("tenant=acme&namespace=&prefix=a%2Fb&notActor=me&keysOnly=1");
    let (filter, form) = filters(&query, filter_tenant(&query)).unwrap();
    assert_eq!(filter.tenant.as_deref(), Some(&b"acme"[..]));
    assert_eq!(filter.tree, None);
    assert_eq!(filter.prefix.as_deref(), Some(&b"a/b"[..]));
    assert_eq!(filter.not_actor.as_deref(), Some(&b"me"[..]));
    assert_eq!(form, Form { keys_only: true, detail: false, as_entry: false });
}
