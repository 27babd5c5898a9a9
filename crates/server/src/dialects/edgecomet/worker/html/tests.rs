use super::*;

const PAGE: &str = "https://example.com/dir/page?b=1";

fn headers(media: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, media.parse().expect("a value"));
    headers
}

fn found(body: &str) -> Html {
    read(PAGE, PAGE, true, &headers("text/html; charset=utf-8"), body.as_bytes())
}

fn title(body: &str) -> String {
    found(body).title
}

fn index_status(body: &str) -> u8 {
    found(body).index_status
}

#[test]
fn html_is_told_by_its_media_type() {
    for (media, expected) in [
        ("text/html", true),
        ("Text/HTML ; charset=utf-8", true),
        ("application/xhtml+xml", false),
        ("text/html2", false),
        ("text/plain; a=text/html", false),
    ] {
        assert_eq!(is_html(&headers(media)), expected, "{media}");
    }
    assert!(!is_html(&HeaderMap::new()));
}

#[test]
fn the_title_is_the_first_of_the_head() {
    for (body, expected) in [
        ("<title>A page</title>", "A page"),
        ("<!doctype html><html lang=en><head><meta charset=utf-8><TITLE id=x>\n A  page\t</TITLE></head>", "A  page"),
        ("<title>First</title><title>Second</title>", "First"),
        ("<title></title><title>Second</title>", ""),
        ("<title>Fish &amp; chips &lt;b&gt; &eacute;</title>", "Fish & chips <b> é"),
        ("<title>no <b>markup</b> here</title>", "no <b>markup</b> here"),
        ("<script>var a = '<title>No</title>';</script><title>Yes</title>", "Yes"),
        ("<style><title>No</title></style><title>Yes</title>", "Yes"),
        ("<!-- <title>No</title> --><title>Yes</title>", "Yes"),
        ("<template><title>No</title></template><title>Yes</title>", "Yes"),
        ("<noscript><title>No</title></noscript><title>Yes</title>", "Yes"),
        ("<body><svg><title>No</title></svg>", ""),
        ("<p>text</p><title>No</title>", ""),
        ("text <title>No</title>", ""),
        ("<head></head><title>Yes</title>", "Yes"),
        ("<title>never ends", "never ends"),
        ("\u{feff}<title>Marked</title>", "Marked"),
        ("", ""),
        ("<", ""),
    ] {
        assert_eq!(title(body), expected, "{body}");
    }
}

#[test]
fn a_title_has_at_most_500_characters() {
    let long = "ü".repeat(501);
    assert_eq!(title(&format!("<title> {long} </title>")), "ü".repeat(500));
}

#[test]
fn a_title_is_read_in_the_characters_of_its_page() {
    let latin = b"<title>B\xfccher</title>";
    assert_eq!(read(PAGE, PAGE, true, &headers("text/html; charset=iso-8859-1"), latin).title, "Bücher");
    let said = b"<meta http-equiv=Content-Type content='text/html; charset=latin1'><title>B\xfccher</title>";
    assert_eq!(read(PAGE, PAGE, true, &headers("text/html"), said).title, "Bücher");
    let said = b"<meta charset=windows-1252><title>B\xfccher</title>";
    assert_eq!(read(PAGE, PAGE, true, &headers("text/html"), said).title, "Bücher");
}

#[test]
fn robots_may_forbid_listing() {
    for (body, expected) in [
        ("<title>x</title>", 1),
        ("<meta name=robots content=noindex>", 3),
        ("<META NAME=\" Robots \" CONTENT=\"nofollow , NoIndex\">", 3),
        ("<meta name=robots content=none>", 3),
        ("<meta name=robots content='index, follow'>", 1),
        ("<meta name=robots content=noindexing>", 1),
        ("<meta name=robots content=noarchive><meta name=robots content=noindex>", 3),
        // One crawler has its own rules.
        ("<meta name=robots content=noindex><meta name=googlebot content=index>", 1),
        ("<meta name=googlebot content=noindex><meta name=robots content=index>", 3),
        ("<meta name=googlebot content=' '><meta name=robots content=noindex>", 3),
        ("<meta name=googlebot><meta name=robots content=noindex>", 3),
        ("<body><meta name=robots content=noindex>", 1),
        ("<noscript><meta name=robots content=noindex></noscript>", 1),
        ("<meta property=robots content=noindex>", 1),
    ] {
        assert_eq!(index_status(body), expected, "{body}");
    }
}

#[test]
fn the_canonical_address_is_resolved_against_the_page() {
    for (body, expected) in [
        ("<link rel=canonical href='https://example.com/dir/page?b=1'>", 1),
        ("<link rel=canonical href='/dir/page?b=1#top'>", 1),
        ("<link rel=canonical href=' page?b=1 '>", 1),
        ("<link rel='alternate CANONICAL' href='/other'>", 4),
        ("<link rel=canonical href='page'>", 4),
        ("<link rel=canonical href='http://example.com/dir/page?b=1'>", 4),
        ("<link rel=canonical href='https://other.example/dir/page?b=1'>", 4),
        ("<link rel=canonical href=''>", 1),
        ("<link rel=canonical>", 1),
        ("<link rel=canonical href='https://['>", 1),
        ("<link rel=canonicals href='/other'>", 1),
        ("<link rel=canonical href='page?b=1'><link rel=canonical href='/other'>", 1),
        ("<base href='/other/'><link rel=canonical href='page?b=1'>", 4),
        ("<link rel=canonical href='../dir/page?b=1'><base href='/other/'>", 1),
        ("<body><link rel=canonical href='/other'>", 1),
        // What is said to crawlers counts first.
        ("<link rel=canonical href='/other'><meta name=robots content=noindex>", 3),
    ] {
        assert_eq!(index_status(body), expected, "{body}");
    }
}

#[test]
fn a_page_that_is_not_ok_is_that_first() {
    let body = b"<title>Gone</title><meta name=robots content=noindex>";
    let html = read(PAGE, PAGE, false, &headers("text/html"), body);
    assert_eq!(html, Html { title: "Gone".to_owned(), index_status: 2 });
}

#[test]
fn a_page_that_was_found_elsewhere_resolves_there() {
    let at = "https://example.com/moved/";
    let own = b"<link rel=canonical href='./'>";
    assert_eq!(
        read(PAGE, at, true, &headers("text/html"), own).index_status,
        4,
        "the record is that of the old address"
    );
    let back = b"<link rel=canonical href='../dir/page?b=1'>";
    assert_eq!(read(PAGE, at, true, &headers("text/html"), back).index_status, 1);
}
