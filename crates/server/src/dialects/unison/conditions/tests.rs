use hyper::header::HeaderMap;

use super::*;

fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
}

fn put(pairs: &[(HeaderName, &'static str)]) -> Result<Option<When>, String> {
    of_put(&headers(pairs)).map_err(|error| error.text().to_owned())
}

#[test]
fn a_write_has_one_condition() {
    assert_eq!(put(&[]), Ok(None));
    assert_eq!(put(&[(IF_MATCH, "\"7\"")]), Ok(Some(When::Version(7))));
    assert_eq!(put(&[(IF_MATCH, "*")]), Ok(Some(When::Present)));
    assert_eq!(put(&[(IF_NONE_MATCH, "*")]), Ok(Some(When::Absent)));
    let both = put(&[(IF_MATCH, "*"), (IF_NONE_MATCH, "*")]);
    assert_eq!(both, Err("Use either cas or If-Match".to_owned()));
    assert_eq!(either(Some(When::Present), Some(When::Absent)).unwrap_err().text(), "Use either cas or If-Match");
    assert_eq!(either(None, Some(When::Absent)), Ok(Some(When::Absent)));
}

#[test]
fn malformed_and_weak_tags_are_refused() {
    for tag in ["7", "\"x\"", "\"\"", "W/\"7\"", "\"7", "\"7\", \"8\"", "\"-7\"", "\"+7\"", ""] {
        assert_eq!(put(&[(IF_MATCH, tag)]), Err("Invalid If-Match".to_owned()), "{tag}");
    }
    let mut several = headers(&[(IF_MATCH, "\"7\"")]);
    several.append(IF_MATCH, HeaderValue::from_static("\"8\""));
    assert!(of_delete(&several).is_err());
    assert_eq!(put(&[(IF_NONE_MATCH, "\"7\"")]), Err("Invalid If-None-Match".to_owned()));
}

#[test]
fn a_read_is_not_modified_when_any_tag_names_its_version() {
    for (tags, same) in [
        ("\"5\"", true),
        ("W/\"5\"", true),
        ("*", true),
        ("\"1\", W/\"3\" ,\"5\"", true),
        ("\"55\"", false),
        ("5", false),
        ("nonsense", false),
    ] {
        assert_eq!(has_version(&headers(&[(IF_NONE_MATCH, tags)]), 5), same, "{tags}");
    }
    assert!(!has_version(&HeaderMap::new(), 5));
}
