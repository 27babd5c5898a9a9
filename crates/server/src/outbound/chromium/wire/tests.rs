use tokio::io::BufReader;

use super::*;

#[tokio::test]
async fn messages_come_out_as_they_went_in_however_the_bytes_arrive() {
    let (mut ours, theirs) = tokio::io::duplex(3);
    let writing = tokio::spawn(async move {
        for message in [r#"{"id":1}"#, "", r#"{"id":2,"params":{"text":"ä"}}"#] {
            write(&mut ours, message.as_bytes().to_vec()).await.expect("takes it");
        }
    });
    let mut theirs = BufReader::with_capacity(2, theirs);
    for expected in [Some(r#"{"id":1}"#), Some(""), Some(r#"{"id":2,"params":{"text":"ä"}}"#), None] {
        let message = read(&mut theirs, 100).await.expect("reads");
        assert_eq!(message.as_deref(), expected.map(str::as_bytes));
    }
    writing.await.expect("ends");
}

#[tokio::test]
async fn a_message_may_have_its_longest_length_and_no_byte_more() {
    assert_eq!(read(&mut &b"12345\0rest"[..], 5).await.expect("fits"), Some(b"12345".to_vec()));
    let error = read(&mut &b"123456\0rest"[..], 5).await.expect_err("too long");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[tokio::test]
async fn a_message_that_was_cut_off_is_none() {
    let error = read(&mut &b"{\"id\""[..], 100).await.expect_err("cut off");
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}
