use std::collections::HashSet;

use super::*;

#[test]
fn names_are_a_component_and_an_operation_and_none_comes_twice() {
    let mut taken = HashSet::new();
    for name in all().flat_map(Line::names) {
        assert_eq!(name.split('.').filter(|part| !part.is_empty()).count(), 2, "{name}");
        assert!(taken.insert(name), "{name} comes twice");
    }
}

#[test]
fn only_an_admin_may_touch_the_server() {
    let of = |role| all().filter(move |line| line.role == role).map(|line| line.name);
    let admin: Vec<_> = of(Role::Admin).collect();
    assert_eq!(
        admin,
        ["kv.flushdb", "kv.flushall", "admin.config", "admin.shutdown", "replication.promote", "replication.resync"]
    );
    let reading: Vec<_> = of(Role::ReadOnly).collect();
    assert!(reading.contains(&"kv.get") && reading.contains(&"queue.stats") && !reading.contains(&"queue.consume"));
}
