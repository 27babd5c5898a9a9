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

/// The commands that the document of the original lists.
const DOCUMENTED: &str = "kv.set kv.get kv.del kv.exists kv.incr kv.decr kv.expire kv.ttl kv.scan kv.mset kv.mget queue.create queue.delete \
    queue.publish queue.consume queue.ack queue.nack queue.purge queue.stats queue.list stream.publish stream.subscribe \
    stream.unsubscribe stream.history stream.rooms stream.stats pubsub.publish pubsub.subscribe pubsub.unsubscribe \
    pubsub.topics pubsub.stats admin.stats admin.config admin.health admin.shutdown replication.status \
    replication.promote replication.resync";

#[test]
fn no_documented_command_is_missing() {
    for name in DOCUMENTED.split_whitespace() {
        assert!(BY_NAME.contains_key(name), "{name}");
    }
}

/// A row of the list of commands: names, other names in parentheses behind the one they mean, role.
fn listed() -> Vec<(String, Vec<String>, &'static str)> {
    let document = include_str!("../../../../../../docs/dialects/synap.md");
    let list = document.split("\n## ").find(|part| part.starts_with("Commands\n")).unwrap();
    let mut listed: Vec<(String, Vec<String>, &str)> = Vec::new();
    for row in list.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let mut inside = false;
        for word in cells[1].split_whitespace() {
            inside |= word.starts_with('(');
            let name = word.trim_matches(['(', ')', ',', '`']).to_owned();
            match listed.last_mut() {
                Some((_, others, _)) if inside => others.push(name),
                _ => listed.push((name, Vec::new(), cells[2])),
            }
            inside &= !word.ends_with(')');
        }
    }
    listed
}

#[test]
fn the_document_lists_every_command_with_its_other_names_and_its_role() {
    let role = |role| match role {
        Role::ReadOnly => "r",
        Role::ReadWrite => "w",
        Role::Admin => "a",
    };
    let mut table: Vec<_> = all()
        .map(|line| {
            (line.name.to_owned(), line.aliases.iter().map(|name| (*name).to_owned()).collect(), role(line.role))
        })
        .collect();
    let mut listed: Vec<(String, Vec<String>, &str)> = listed();
    table.sort();
    listed.sort();
    assert_eq!(table, listed);
}
