use axum::body::to_bytes;
use hyper::header::IF_NONE_MATCH;

use super::*;

static TEXT: Embedded = Embedded::text("text/plain", || Bytes::from_static(b"some text, some text, some text"));

fn accepting(coding: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(coding))])
}

async fn body(response: Response<Body>) -> Bytes {
    to_bytes(response.into_body(), usize::MAX).await.unwrap()
}

#[tokio::test]
async fn a_file_is_sent_as_it_is_or_packed() {
    let plain = TEXT.answer(&HeaderMap::new());
    assert_eq!(plain.headers()[CONTENT_TYPE], "text/plain");
    assert_eq!(plain.headers().get(CONTENT_ENCODING), None);
    let plain = body(plain).await;
    assert_eq!(plain, "some text, some text, some text");

    let packed = TEXT.answer(&accepting("br, gzip"));
    assert_eq!(packed.headers()[CONTENT_ENCODING], "gzip");
    assert_eq!(packed.headers()[VARY], "accept-encoding");
    assert_eq!(gzip::decode(&body(packed).await, 100), Ok(plain));
}

#[tokio::test]
async fn a_packed_file_is_unpacked_for_who_cannot() {
    static PACKED: &[u8] = &[
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x86, 0xa6, 0x10, 0x36, 5, 0,
        0, 0,
    ];
    static FILE: Embedded = Embedded::gzip("text/plain", PACKED);
    assert_eq!(body(FILE.answer(&HeaderMap::new())).await, "hello");
    assert_eq!(body(FILE.answer(&accepting("gzip"))).await, PACKED);
}

#[tokio::test]
async fn who_has_a_file_is_told_that_it_did_not_change() {
    let tag = TEXT.answer(&HeaderMap::new()).headers()[ETAG].clone();
    let again = TEXT.answer(&HeaderMap::from_iter([(IF_NONE_MATCH, tag.clone())]));
    assert_eq!((again.status(), &again.headers()[ETAG]), (StatusCode::NOT_MODIFIED, &tag));
    assert!(body(again).await.is_empty());
    let mut other_form = accepting("gzip");
    other_form.insert(IF_NONE_MATCH, tag);
    assert_eq!(TEXT.answer(&other_form).status(), StatusCode::OK);
}
