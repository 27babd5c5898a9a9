use super::*;

#[test]
fn bytes_read_well() {
    for (bytes, text) in [
        (0, "0B"),
        (1023, "1023B"),
        (1024, "1.00KB"),
        (1536, "1.50KB"),
        (1 << 20, "1.00MB"),
        (5 << 29, "2.50GB"),
        (3 << 40, "3072.00GB"),
    ] {
        assert_eq!(human(bytes), text);
    }
}
