//! A room of events, and one who listens through a WebSocket: within a connection no event is left out.

use std::{rc::Rc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_tungstenite::{client_async, tungstenite::Message};

use crate::{
    Result,
    soak::{
        client::Client,
        world::{Phase, World},
    },
};

/// A socket is opened anew after so many events.
const EVENTS: u64 = 2000;

/// Events at a steady pace, and messages that nobody listens to.
pub async fn publish(world: Rc<World>) {
    let mut client = Client::new(&world, |ports| ports.synap);
    while world.turn(40.0).await {
        client
            .command("stream.publish", r#"{"room":"soak","event_type":"tick","data":{"text":"an event"}}"#)
            .await
            .ok();
        client.command("pubsub.publish", r#"{"topic":"soak.nobody","message":1}"#).await.ok();
    }
}

/// Listens until the end.
pub async fn listen(world: Rc<World>) {
    while world.turn(2.0).await {
        let phase = world.phase();
        if let Err(error) = socket(&world).await
            && world.phase() == phase
            && matches!(phase, Phase::Up(_))
        {
            world.fault(format!("a socket ended: {error}"));
        }
    }
}

async fn socket(world: &World) -> Result<()> {
    let address = world.ports.address(|ports| ports.synap);
    let stream = TcpStream::connect(address).await?;
    let (mut socket, _) = client_async(format!("ws://{address}/api/v1/ws"), stream).await?;
    let subscribe = r#"{"request_id":"s","command":"stream.subscribe","payload":{"room":"soak","replay":false}}"#;
    socket.send(Message::text(subscribe)).await?;
    let (mut last, mut events) = (None, 0);
    while events < EVENTS && matches!(world.phase(), Phase::Up(_)) {
        let Ok(message) = timeout(Duration::from_secs(1), socket.next()).await else { continue };
        let Message::Text(text) = message.ok_or("the server closed it")?? else { continue };
        let event: Value = serde_json::from_str(&text)?;
        let Some(offset) = event["offset"].as_u64() else { continue };
        if last.is_some_and(|last| offset != last + 1) {
            world.fault(format!("event {offset} follows {last:?}"));
        }
        last = Some(offset);
        events += 1;
    }
    if matches!(world.phase(), Phase::Down(_)) {
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
