use super::*;

fn namespace(name: &'static str) -> Namespace {
    Namespace::new(name).expect("name")
}

#[test]
fn names_are_bounded_and_hold_no_nul() {
    assert_eq!(Namespace::new("").unwrap_err(), NameError::Empty);
    assert_eq!(Namespace::new(vec![b'n'; 1025]).unwrap_err(), NameError::TooLong);
    assert_eq!(Key::new("a\0b").unwrap_err(), NameError::Nul);
    assert!(Namespace::new(vec![b'n'; 1024]).is_ok());
    assert!(Key::new(vec![b'k'; 4096]).is_ok());
    assert!(Key::new(vec![b'k'; 4097]).is_err());
    assert!(Actor::new(vec![0; 256]).is_ok());
    assert!(Actor::new(vec![b'a'; 257]).is_err());
}

#[test]
fn the_tenant_is_what_follows_the_prefix_up_to_a_slash() {
    for (name, tenant) in [
        ("tenant:acme/settings", "acme"),
        ("tenant:acme", "acme"),
        ("default", ""),
        ("x/tenant:acme", ""),
        ("tenant:/x", ""),
        ("tenant:", ""),
    ] {
        assert_eq!(namespace(name).tenant(), tenant.as_bytes(), "{name}");
    }
}

#[test]
fn a_tree_holds_its_root_and_what_lies_below_a_slash() {
    assert!(namespace("tenant:acme").is_within(b"tenant:acme"));
    assert!(namespace("tenant:acme/settings").is_within(b"tenant:acme"));
    assert!(!namespace("tenant:acme2/x").is_within(b"tenant:acme"));
    assert!(namespace("anything").is_within(b""));
}
