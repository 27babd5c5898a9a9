use super::*;

#[test]
fn results_that_were_lost_are_errors_in_their_place() {
    let mut out = b"[{1},{22},{333},{4}]".to_vec();
    replace(&mut out, [5..9, 16..19].into_iter(), &Error::Unavailable);
    let error = "{\"status\":\"error\",\"success\":false,\"error\":{\"code\":\"SERVICE_UNAVAILABLE\",\
                 \"message\":\"Storage unavailable\",\"details\":{}}}";
    assert_eq!(String::from_utf8_lossy(&out), format!("[{{1}},{error},{{333}},{error}]"));
    let mut none = b"[{1}]".to_vec();
    replace(&mut none, std::iter::empty(), &Error::Unavailable);
    assert_eq!(none, b"[{1}]");
}
