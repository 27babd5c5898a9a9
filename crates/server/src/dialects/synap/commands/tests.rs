use std::collections::HashSet;

use super::*;

#[test]
fn names_are_a_component_and_an_operation_and_none_comes_twice() {
    let all: Vec<_> = names().collect();
    let once: HashSet<_> = all.iter().collect();
    assert_eq!(all.len(), once.len());
    for name in &all {
        assert_eq!(name.split('.').filter(|part| !part.is_empty()).count(), 2, "{name}");
    }
    for (alias, name) in ALIASES {
        assert!(!all.contains(&alias) && all.contains(&name), "{alias}");
    }
}

#[test]
fn only_an_admin_may_touch_the_server() {
    let of = |role| TABLE.iter().filter(move |entry| entry.role == role).map(|entry| entry.name);
    let admin: Vec<_> = of(Role::Admin).collect();
    assert_eq!(admin, ["admin.config", "admin.shutdown", "replication.promote", "replication.resync"]);
    let reading: Vec<_> = of(Role::ReadOnly).collect();
    assert!(reading.contains(&"kv.get") && reading.contains(&"queue.stats") && !reading.contains(&"queue.consume"));
}
