use super::*;

fn trees(namespace: &str) -> Vec<&str> {
    ancestors(namespace.as_bytes()).map(|tree| std::str::from_utf8(tree).unwrap()).collect()
}

#[test]
fn a_namespace_lies_in_everything_its_parents_and_itself() {
    assert_eq!(trees("tenant:acme/settings/x"), ["", "tenant:acme", "tenant:acme/settings", "tenant:acme/settings/x"]);
    assert_eq!(trees("a"), ["", "a"]);
    assert_eq!(trees("/a//b/"), ["", "/a", "/a/", "/a//b", "/a//b/"]);
}

#[test]
fn ancestors_agree_with_the_rule_of_the_engine() {
    for namespace in ["a", "a/b", "/a//b/", "tenant:acme2/x", "a/"] {
        let found = Namespace::new(namespace.to_owned()).unwrap();
        for root in ["a", "a/", "/a", "/a/", "a/b", "tenant:acme", "tenant:acme2", "/a//b", "b"] {
            assert_eq!(found.is_within(root.as_bytes()), trees(namespace).contains(&root), "{root} of {namespace}");
        }
    }
}
