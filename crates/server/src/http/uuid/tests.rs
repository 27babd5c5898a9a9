use super::*;

#[test]
fn it_is_of_version_4_and_another_one_each_time() {
    let (one, two) = (random(), random());
    assert_ne!(one, two);
    let lengths: Vec<usize> = one.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    assert_eq!(one.as_bytes()[14], b'4');
    assert!(matches!(one.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{one}");
}
