//! A script of verbs, crashed at every call to the disk. Whatever the disk kept, the state is the one after the verb that
//! was answered last, or after the one that was not answered any more; and what is not part of it is removed.

use manifold_store::disk::{Fault, Reboot, SimDisk};

use super::*;
use crate::{
    Clock, Engine, Options,
    kv::Expires,
    tests::{ANN, START, put},
};

/// Verbs of the script.
const VERBS: usize = 26;

async fn verb(engine: &Engine, number: usize) -> Result<()> {
    let n = ns("n");
    let many: Vec<Bytes> = (0..40).map(|number| Bytes::from(format!("{number:03}"))).collect();
    let long = Bytes::from(vec![b'x'; 3_000]);
    let scored = |from: usize| {
        let members = (from..).zip(&many).map(|(at, member)| Scored { member: member.clone(), score: at as f64 });
        ScoreAdd { members: members.collect(), ..ScoreAdd::default() }
    };
    let insert = |side| Insert { side, pivot: Sought::Bytes(b("020")), value: b("new") };
    let fields = |value: &Bytes| many.iter().map(|name| (name.clone(), value.clone())).collect::<Vec<_>>();
    match number {
        0 => drop(engine.hash_set(&n, &k("hash"), fields(&b("v")), FieldWhen::Always).await?),
        1 => drop(engine.list_push(&n, &k("list"), Side::Right, &many, PushTo::Any).await?),
        2 => drop(engine.set_add(&n, &k("set"), &many).await?),
        3 => drop(engine.zset_add(&n, &k("zset"), scored(0)).await?),
        4 => drop(engine.hash_set(&n, &k("hash"), vec![(b("long"), long)], FieldWhen::Always).await?),
        5 => drop(engine.list_insert(&n, &k("list"), &insert(Side::Left)).await?),
        6 => drop(engine.list_remove(&n, &k("list"), &Sought::Bytes(b("010")), Equal::All).await?),
        7 => drop(engine.set_remove(&n, &k("set"), &many[3..20]).await?),
        8 => drop(engine.zset_add(&n, &k("zset"), scored(10)).await?),
        9 => drop(engine.zset_pop(&n, &k("zset"), Direction::Descending, 5).await?),
        10 => drop(engine.put(&n, put("string", "1")).await?),
        11 => drop(engine.key_rename(&n, &k("list"), &k("string"), Replace::Any, &ANN).await?),
        12 => drop(engine.key_copy(&n, &k("zset"), &k("zset2"), Replace::Any, ANN).await?),
        13 => {
            let keys = vec![k("set"), k("set2")];
            drop(engine.set_combine_into(&n, &k("zset2"), keys, Combine::Union, ANN).await?);
        }
        14 => drop(engine.list_move(&n, (&k("string"), Side::Left), (&k("list"), Side::Left)).await?),
        15 => drop(engine.set_move(&n, &k("set"), &k("set2"), &many[30]).await?),
        16 => drop(engine.list_trim(&n, &k("string"), 10, 12).await?),
        17 => drop(
            engine.key_expire(&n, &k("hash"), Expires::At(START.plus(std::time::Duration::from_secs(9))), &ANN).await?,
        ),
        18 => drop(engine.hash_add(&n, &k("hash"), b("number"), 5).await?),
        19 => drop(engine.hash_delete(&n, &k("hash"), &many).await?),
        20 => drop(engine.key_delete(&n, &[k("zset"), k("set")], &ANN).await?),
        21 => drop(engine.put(&n, put("value", "2")).await?),
        22 => drop(engine.key_rename(&n, &k("value"), &k("list"), Replace::Any, &ANN).await?),
        23 => drop(engine.zset_increment(&n, &k("zset"), b("one"), 1.0).await?),
        24 => drop(engine.list_pop(&n, &k("string"), Side::Left, 9).await?),
        _ => drop(engine.key_delete(&n, &[k("hash"), k("list"), k("set2"), k("zset2")], &ANN).await?),
    }
    Ok(())
}

/// Everything there is, and how many rows its elements have.
async fn state(engine: &Engine) -> (Vec<String>, u64) {
    let n = ns("n");
    let (found, _) = engine.key_page(&n, &KeyPage { limit: 100, ..KeyPage::default() }).expect("page");
    let mut lines = Vec::new();
    let mut rows = 0;
    for (key, info) in found {
        let content = match info.key_type {
            KeyType::String => format!("{:?}", engine.get(&n, &key).expect("get").it.map(|it| (it.value, it.version))),
            KeyType::Hash => format!("{:?}", engine.hash_all(&n, &key).await.expect("hash")),
            KeyType::List => format!("{:?}", engine.list_range(&n, &key, 0, -1).await.expect("list")),
            KeyType::Set => {
                let mut members = engine.set_members(&n, &key).await.expect("set").expect("a set");
                members.sort();
                format!("{members:?}")
            }
            KeyType::SortedSet => {
                format!("{:?}", engine.zset_part(&n, &key, 0, -1, Direction::Ascending).await.expect("zset"))
            }
        };
        let tables = Card::tables(info.key_type).len() as u64;
        rows += tables * info.elements;
        lines.push(format!("{key} {:?} {:?} {} {content}", info.key_type, info.expires_at, info.elements));
    }
    (lines, rows)
}

fn options() -> Options {
    Options { clock: Clock::manual(START), ..Options::new("/data") }
}

/// Runs the script on a disk with a fault; how many verbs were answered, and the disk.
async fn run(fault: Option<(u64, Fault)>) -> (usize, SimDisk) {
    let disk = SimDisk::new();
    if let Some((call, fault)) = fault {
        disk.fault_at(call, fault);
    }
    let engine = Engine::open_on(crate::tests::ground(&disk), options());
    let mut done = 0;
    if engine.recovered().await.is_ok() {
        while done < VERBS && verb(&engine, done).await.is_ok() {
            done += 1;
        }
    }
    disk.crash();
    engine.close().await.ok();
    (done, disk)
}

#[tokio::test]
async fn a_crash_at_any_call_leaves_each_verb_done_or_not() {
    let house = House::with(|_| {}).await;
    let mut states = vec![state(&house.engine).await];
    for number in 0..VERBS {
        verb(&house.engine, number).await.expect("a verb");
        states.push(state(&house.engine).await);
    }
    assert_eq!(states[VERBS].1, 2, "the one member of the sorted set");
    for fault in [Fault::Crash, Fault::Tear] {
        for call in 1.. {
            let (done, disk) = run(Some((call, fault))).await;
            for how in [Reboot::Lost, Reboot::Kept, Reboot::Mixed(call)] {
                let house = House::on(disk.reboot(how), options()).await;
                let found = state(&house.engine).await;
                let next = states.get(done + 1);
                assert!(found == states[done] || next == Some(&found), "call {call}, {done} verbs, {found:?}");
                house.until("the sweep", |_| element_rows(&house) == found.1).await;
                house.zadd("new", &[("a", 1.0)]).await;
                assert_eq!(house.zrange("new").await.len(), 1);
                house.close().await.expect("closes");
            }
            if done == VERBS {
                assert!(call > 40, "the script makes calls to crash at");
                break;
            }
        }
    }
}
