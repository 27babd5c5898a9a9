use super::*;

#[test]
fn a_path_is_brought_into_one_form() {
    for (sent, expected) in [
        ("/", "/"),
        ("/cache/k", "/cache/k"),
        ("/cache/k/", "/cache/k"),
        ("//health", "/health"),
        ("/cache//k", "/cache/k"),
        ("/a/../health", "/health"),
        ("/../../health", "/health"),
        ("/cache/./k", "/cache/k"),
        ("/cache/a//../b", "/cache/a/b"),
        ("/cache/a//%2e%2e/b", "/cache/a/b"),
        ("/cache/a///../../b", "/cache/a/b"),
        ("/cache//k/../", "/cache"),
        ("//../health", "/health"),
        ("/cache/x/%2e%2E/k", "/cache/k"),
        ("/cache/%2E", "/cache"),
        ("/%63ache/k", "/cache/k"),
        ("/cache/a%20b", "/cache/a b"),
        ("/cache/a%2Fb", "/cache/a%2Fb"),
        ("/cache/a%252Fb", "/cache/a%252Fb"),
        ("/cache/%zz", "/cache/%zz"),
        ("/cache/%ff", "/cache/%ff"),
        ("/cache/a+b;c", "/cache/a+b;c"),
        ("/cache/.k", "/cache/.k"),
    ] {
        assert_eq!(plain(sent), expected, "{sent}");
    }
}
