//! Follows the change feed by long polls: each change once, in order, none left out.

use std::rc::Rc;

use crate::soak::{
    client::Client,
    world::{Phase, World},
};

/// Follows until the end.
pub async fn follow(world: Rc<World>) {
    let mut client = Client::new(&world, |ports| ports.unison);
    let (mut after, mut jumped) = (0, 0);
    while world.turn(10.0).await {
        let Phase::Up(life) = world.phase() else { continue };
        let target = format!("/api/v1/changes?after={after}&limit=1000&wait=1000");
        let Ok(answer) = client.wait("GET", &target, "", &[200]).await else { continue };
        let answer = answer.json();
        if answer["truncated"] == true {
            world.fault(format!("the feed begins behind {after}"));
        }
        if answer["reset"] == true {
            world.fault(format!("the feed was reset after {after}"));
        }
        for change in answer["changes"].as_array().into_iter().flatten() {
            let seq = change["seq"].as_u64().unwrap_or(0);
            // After a kill at this level the numbers go on, once, far above those that may have been lost.
            if seq > after + 1 && jumped != life {
                jumped = life;
            } else if seq != after + 1 {
                world.fault(format!("change {seq} follows {after}"));
            }
            after = seq;
        }
    }
}
