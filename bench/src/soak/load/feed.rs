//! Follows the change feed by long polls: each change once, in order, none left out.

use std::rc::Rc;

use crate::soak::{
    client::Client,
    world::{Phase, World},
};

/// Follows until the end.
pub async fn follow(world: Rc<World>) {
    let mut client = Client::new(&world, |ports| ports.unison);
    let (mut after, mut life) = (0, 0);
    while world.turn(10.0).await {
        let Phase::Up(now_life) = world.phase() else { continue };
        let target = format!("/api/v1/changes?after={after}&limit=1000&wait=1000");
        let Ok(answer) = client.wait("GET", &target, "", &[200]).await else { continue };
        let answer = answer.json();
        if answer["truncated"] == true {
            world.fault(format!("the feed begins behind {after}"));
        }
        if answer["reset"] == true {
            world.fault(format!("the feed was reset after {after}"));
        }
        let changes = answer["changes"].as_array().map(Vec::as_slice).unwrap_or_default();
        // After a kill at this level the numbers go on far above those that may have been lost.
        let mut jump = life != now_life;
        if !changes.is_empty() {
            life = now_life;
        }
        for change in changes {
            let seq = change["seq"].as_u64().unwrap_or(0);
            if seq != after + 1 && !jump {
                world.fault(format!("change {seq} follows {after}"));
            }
            (after, jump) = (seq, false);
        }
    }
}
