use super::*;

#[tokio::test]
async fn closed_sockets_are_waited_for() {
    let sockets = Sockets::default();
    sockets.closed().await;
    let open = sockets.open();
    assert_eq!(sockets.count(), 1);
    let waiting = async {
        tokio::join!(sockets.closed(), async { drop(open) });
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), waiting).await.unwrap();
    assert_eq!(sockets.count(), 0);
}
