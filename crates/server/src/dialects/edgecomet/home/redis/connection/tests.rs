use super::*;

#[test]
fn addresses_have_a_host_and_a_port() {
    let some = |host: &str, port| Some((host.to_owned(), port));
    assert_eq!(host_and_port("localhost:6379"), some("localhost", 6379));
    assert_eq!(host_and_port("10.0.0.1:1"), some("10.0.0.1", 1));
    assert_eq!(host_and_port("[::1]:6379"), some("::1", 6379));
    for odd in ["", "localhost", ":6379", "localhost:", "localhost:x", "localhost:70000", "::1:6379", "[]:1"] {
        assert_eq!(host_and_port(odd), None, "{odd}");
    }
}
