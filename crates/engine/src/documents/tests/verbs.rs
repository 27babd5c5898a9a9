//! What each verb does.

use super::*;
use crate::cache::Glob;

async fn found(house: &House, query: DocumentQuery) -> Vec<String> {
    let documents = whole(house.documents.query(query)).await;
    documents.into_iter().map(|document| format!("{}/{}", document.space, document.key)).collect()
}

async fn keys(house: &House, within: Within, pattern: &str, limit: Option<usize>) -> Vec<String> {
    let keys = DocumentKeys { within, pattern: Glob::new(pattern), limit };
    whole(house.documents.keys(keys)).await
}

#[tokio::test]
async fn a_document_comes_back_as_it_was_written_after_a_restart_too() {
    let mut house = House::new();
    house.set("s", [put("k", "nul \0 and ü").tagged(&["b", "a", "b", "", "nul\0"]).living(500)]).await;
    let written = Document {
        space: "s".to_owned(),
        key: "k".to_owned(),
        value: "nul \0 and ü".to_owned(),
        created: START,
        updated: START,
        expires: Some(Timestamp(START.0 + 500)),
        tags: strings(&["", "a", "b", "nul\0"]),
    };
    assert_eq!(house.get("s", "k").await, Some(written.clone()));
    assert_eq!(house.get("", "k").await, None);
    house.reopen().await;
    assert_eq!(house.get("s", "k").await, Some(written));
}

#[tokio::test]
async fn writing_again_replaces_all_but_when_it_came_to_be() {
    let house = House::new();
    house.set("", [put("k", "1").tagged(&["a"]).living(100)]).await;
    house.clock.advance(60);
    house.set("", [put("k", "2")]).await;
    let now = house.get("", "k").await.expect("a document");
    assert_eq!((now.value.as_str(), now.expires, now.tags), ("2", None, vec![]));
    assert_eq!((now.created, now.updated), (START, Timestamp(START.0 + 60)));
}

#[tokio::test]
async fn what_expired_is_absent_everywhere_and_begins_anew() {
    let house = House::new();
    house.set("", [put("k", "1").tagged(&["a"]).living(100), put("stays", "1").tagged(&["a"])]).await;
    house.clock.advance(99);
    assert!(house.get("", "k").await.is_some());
    house.clock.advance(1);
    assert_eq!(house.get("", "k").await, None);
    assert_eq!(house.documents.delete(Space::default(), strings(&["k"])).await.expect("a count"), 0);
    assert_eq!(keys(&house, Within::All, "*", None).await, ["stays"]);
    assert_eq!(found(&house, everything(Within::All)).await, ["/stays"]);
    let tagged = DocumentQuery { tags: strings(&["a"]), ..everything(Within::All) };
    assert_eq!(found(&house, tagged).await, ["/stays"]);
    assert_eq!(house.documents.stats().await.expect("stats").documents, 1);
    assert_eq!(house.documents.purge().await.expect("a count"), 1);
    assert_eq!(house.documents.purge().await.expect("a count"), 0);
    house.set("", [put("k", "1").living(100)]).await;
    house.clock.advance(100);
    house.set("", [put("k", "2")]).await;
    assert_eq!(house.get("", "k").await.expect("a document").created, Timestamp(START.0 + 200));
}

#[tokio::test]
async fn deadlines_saturate() {
    let house = House::new();
    house.set("", [put("k", "1").living(u64::MAX)]).await;
    assert_eq!(house.get("", "k").await.expect("a document").expires, Some(Timestamp((1 << 53) - 1)));
}

#[tokio::test]
async fn a_page_is_found_by_prefix_tag_and_space_and_ordered_to_the_last_place() {
    let house = House::new();
    house.set("a", [put("k1", ""), put("K2", "").tagged(&["x"]), put("k_", "")]).await;
    house.clock.advance(1);
    house.set("", [put("k1", "").tagged(&["x", "y"]), put("k%", "").tagged(&["y"])]).await;
    house.set("b", [put("k\u{10ffff}", ""), put("l", "")]).await;
    house.clock.advance(1);
    house.set("a", [put("k1", "again")]).await;
    let all = || everything(Within::All);
    let under = |prefix: &str| DocumentQuery { prefix: prefix.to_owned(), ..all() };
    assert_eq!(found(&house, all()).await, ["a/K2", "/k%", "/k1", "a/k1", "a/k_", "b/k\u{10ffff}", "b/l"]);
    assert_eq!(found(&house, under("k")).await, ["/k%", "/k1", "a/k1", "a/k_", "b/k\u{10ffff}"]);
    assert_eq!(found(&house, under("k_")).await, ["a/k_"]);
    assert_eq!(found(&house, under("k%")).await, ["/k%"]);
    assert_eq!(found(&house, under("k\u{10ffff}")).await, ["b/k\u{10ffff}"]);
    assert_eq!(found(&house, under("\u{10ffff}")).await, [""; 0]);
    let in_a = || everything(Within::Space(named("a")));
    assert_eq!(found(&house, in_a()).await, ["a/K2", "a/k1", "a/k_"]);
    assert_eq!(found(&house, everything(Within::Space(Space::default()))).await, ["/k%", "/k1"]);
    let tagged = |tags: &[&str], within| DocumentQuery { tags: strings(tags), ..everything(within) };
    assert_eq!(found(&house, tagged(&["x", "y", "none"], Within::All)).await, ["a/K2", "/k%", "/k1"]);
    assert_eq!(found(&house, tagged(&["x"], Within::Space(named("a")))).await, ["a/K2"]);
    let by = |order, descending| DocumentQuery { order, descending, ..all() };
    let created = ["a/K2", "a/k1", "a/k_", "/k%", "/k1", "b/k\u{10ffff}", "b/l"];
    assert_eq!(found(&house, by(DocumentOrder::Created, false)).await, created);
    let newest = ["/k%", "/k1", "b/k\u{10ffff}", "b/l", "a/K2", "a/k1", "a/k_"];
    assert_eq!(found(&house, by(DocumentOrder::Created, true)).await, newest);
    assert_eq!(found(&house, by(DocumentOrder::Updated, true)).await[0], "a/k1");
    let last = ["b/l", "b/k\u{10ffff}", "a/k_", "/k1", "a/k1", "/k%", "a/K2"];
    assert_eq!(found(&house, by(DocumentOrder::Key, true)).await, last);
    assert_eq!(found(&house, DocumentQuery { offset: 2, limit: 3, ..all() }).await, ["/k1", "a/k1", "a/k_"]);
    assert_eq!(found(&house, DocumentQuery { limit: 0, ..all() }).await, [""; 0]);
    assert_eq!(found(&house, DocumentQuery { offset: u64::MAX, ..all() }).await, [""; 0]);
}

#[tokio::test]
async fn keys_match_in_byte_order() {
    let house = House::new();
    house.set("", [put("b", ""), put("a2", ""), put("A", "")]).await;
    house.set("s", [put("a1", ""), put("a2", "")]).await;
    assert_eq!(keys(&house, Within::All, "*", None).await, ["A", "a1", "a2", "a2", "b"]);
    assert_eq!(keys(&house, Within::All, "a?", Some(2)).await, ["a1", "a2"]);
    assert_eq!(keys(&house, Within::Space(named("s")), "*2", None).await, ["a2"]);
    assert_eq!(keys(&house, Within::Space(Space::default()), "*", None).await, ["A", "a2", "b"]);
}

#[tokio::test]
async fn tags_delete_what_has_any_of_them_and_count_it_once() {
    let house = House::new();
    house.set("", [put("a", "").tagged(&["x", "y"]), put("b", "").tagged(&["y"]), put("c", "").tagged(&["z"])]).await;
    house.set("s", [put("d", "").tagged(&["x"])]).await;
    let delete = |within, tags: &[&str]| house.documents.delete_tagged(within, strings(tags));
    assert_eq!(delete(Within::All, &[]).await.expect("a count"), 0);
    assert_eq!(delete(Within::Space(Space::default()), &["x", "y", "x"]).await.expect("a count"), 2);
    assert_eq!(keys(&house, Within::All, "*", None).await, ["c", "d"]);
    assert_eq!(delete(Within::All, &["x", "z"]).await.expect("a count"), 2);
    house.set("", [put("odd", "").tagged(&["nul\0 \" \\ \u{1}\u{10ffff}"])]).await;
    assert_eq!(delete(Within::All, &["nul"]).await.expect("a count"), 0);
    assert_eq!(delete(Within::All, &["nul\0 \" \\ \u{1}\u{10ffff}"]).await.expect("a count"), 1);
}

#[tokio::test]
async fn no_verb_about_documents_touches_the_reserved_space() {
    assert_eq!(Space::new("__qcache__"), Err(Reserved));
    let house = House::new();
    house.set("", [put("mine", "").tagged(&["t"])]).await;
    let foreign =
        "INSERT INTO kv SELECT key, '__qcache__', value, created_at, updated_at, ?1 FROM kv WHERE key = 'mine';";
    let tags = "INSERT INTO kv_tags SELECT '__qcache__', key, tag FROM kv_tags WHERE key = 'mine'";
    let count = |tx: tx::Tx<'_>| Ok(tx.query_row("SELECT count(*) FROM kv", [], |row| row.get::<_, i64>(0))?);
    let due = START.0.cast_signed() + 10;
    house
        .documents
        .write(move |tx| Ok(tx.execute(foreign, [due]).and_then(|_| tx.execute(tags, []))?))
        .await
        .expect("rows");
    assert_eq!(keys(&house, Within::All, "*", None).await, ["mine"]);
    assert_eq!(found(&house, everything(Within::All)).await, ["/mine"]);
    assert_eq!(found(&house, DocumentQuery { tags: strings(&["t"]), ..everything(Within::All) }).await, ["/mine"]);
    let stats = house.documents.stats().await.expect("stats");
    assert_eq!((stats.documents, stats.spaces), (1, 1));
    assert!(stats.size_bytes > 0 && stats.size_bytes % 4096 == 0);
    assert_eq!(house.documents.delete_tagged(Within::All, strings(&["t"])).await.expect("a count"), 1);
    house.documents.clear(Within::All).await.expect("cleared");
    assert_eq!(house.documents.read(count).await.expect("a count"), 1);
    house.clock.advance(10);
    assert_eq!(house.documents.stats().await.expect("stats").documents, 0);
    // Its rows are purged like others, but are no documents.
    assert_eq!(house.documents.purge().await.expect("a count"), 0);
    assert_eq!(house.documents.read(count).await.expect("a count"), 0);
}

#[tokio::test]
async fn clearing_one_space_leaves_the_others() {
    let house = House::new();
    house.set("", [put("a", "").tagged(&["t"])]).await;
    house.set("s", [put("b", "")]).await;
    house.documents.clear(Within::Space(Space::default())).await.expect("cleared");
    assert_eq!(keys(&house, Within::All, "*", None).await, ["b"]);
    house.documents.clear(Within::All).await.expect("cleared");
    let left = "SELECT (SELECT count(*) FROM kv) + (SELECT count(*) FROM kv_tags)";
    let left = house.documents.read(move |tx| Ok(tx.query_row(left, [], |row| row.get::<_, i64>(0))?)).await;
    assert_eq!(left.expect("a count"), 0);
}

#[tokio::test]
async fn a_purge_takes_all_pieces() {
    let house = House::new();
    let short = (0..2500).map(|n| put(&format!("k{n:04}"), "").living(if n % 5 == 0 { 0 } else { 10 }));
    house.set("", short).await;
    house.clock.advance(10);
    assert_eq!(house.documents.purge().await.expect("a count"), 2000);
    assert_eq!(keys(&house, Within::All, "*", None).await.len(), 500);
}

/// As many as fit into a request: far more than a statement may have variables.
#[tokio::test]
async fn lists_of_any_length_are_taken() {
    let house = House::new();
    let tags: Vec<String> = (0..100_000).map(|n| n.to_string()).collect();
    house.set("", [DocumentSet { tags: tags.clone(), ..put("k", "v") }]).await;
    assert_eq!(house.get("", "k").await.expect("a document").tags.len(), tags.len());
    let tagged = DocumentQuery { tags: tags.clone(), ..everything(Within::All) };
    assert_eq!(found(&house, tagged).await, ["/k"]);
    let many = whole(house.documents.get_many(Space::default(), tags.clone())).await;
    assert!(many.len() == tags.len() && many.iter().all(|(_, document)| document.is_none()));
    assert_eq!(house.documents.delete(Space::default(), tags.clone()).await.expect("a count"), 0);
    assert_eq!(house.documents.delete_tagged(Within::All, tags).await.expect("a count"), 1);
}

/// Many pieces, one cut: what is written meanwhile is not in them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_of_any_size_is_one_cut() {
    let house = House::new();
    let large = "x".repeat(600_000);
    house.set("", (0..30).map(|n| put(&format!("k{n:02}"), &large))).await;
    let mut pieces = house.documents.query(everything(Within::All)).await.expect("an answer");
    let first = pieces.next().await.expect("a piece");
    assert!(!first.last && first.items.len() == 2);
    house.documents.clear(Within::All).await.expect("cleared");
    let mut found = first.items.len();
    loop {
        let piece = pieces.next().await.expect("a piece");
        assert!(piece.items.iter().all(|document| document.value == large));
        found += piece.items.len();
        if piece.last {
            break;
        }
    }
    assert_eq!(found, 30);
    assert_eq!(whole(house.documents.query(everything(Within::All))).await, []);
}

/// Nobody takes the rest: the read ends and others get its turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_nobody_takes_ends() {
    let house = House::new();
    let large = "x".repeat(600_000);
    house.set("", (0..30).map(|n| put(&format!("k{n:02}"), &large))).await;
    for _ in 0..20 {
        drop(house.documents.query(everything(Within::All)).await.expect("an answer"));
    }
    // Nor does anybody wait for long for those who take their time.
    let mut slow = Vec::new();
    for _ in 0..3 {
        slow.push(house.documents.query(everything(Within::All)).await.expect("an answer"));
    }
    let counting = tokio::spawn({
        let documents = house.documents.clone();
        async move { documents.stats().await.map(|stats| stats.documents) }
    });
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert!(!counting.is_finished());
    while !counting.is_finished() {
        house.clock.advance(60_000);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(counting.await.expect("a task").expect("stats"), 30);
    let mut pieces = slow.remove(0);
    let cut = loop {
        match pieces.next().await {
            Ok(piece) => assert!(!piece.last),
            Err(error) => break error,
        }
    };
    assert_eq!(*cut.kind(), crate::Kind::Closed);
    assert_eq!(whole(house.documents.query(everything(Within::All))).await.len(), 30);
}
