use super::*;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, value.parse().expect("a value"));
    }
    headers
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn headers_are_kept_as_configured() {
    let came = headers(&[
        ("etag", "\"1\""),
        ("x-two-words", "a"),
        ("x-two-words", "b"),
        ("content-type", "text/html"),
        ("x-other", "no"),
    ]);
    let kept = kept(&came, &names(&["content-type", "last-modified", "etag", "x-two-words"]));
    let text = |pairs: &[(&str, &[&str])]| -> Vec<(String, Vec<String>)> {
        pairs.iter().map(|(name, values)| ((*name).to_owned(), self::names(values))).collect()
    };
    assert_eq!(kept, text(&[("Content-Type", &["text/html"]), ("ETag", &["\"1\""]), ("X-Two-Words", &["a", "b"])]));
}

#[test]
fn what_belongs_to_one_visitor_is_never_kept() {
    for name in NEVER {
        let came = headers(&[(name, "secret")]);
        assert_eq!(kept(&came, &names(&[name])), [], "{name}");
    }
}
