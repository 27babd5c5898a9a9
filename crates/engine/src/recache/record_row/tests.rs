use proptest::prelude::*;

use super::*;

fn text() -> impl Strategy<Value = String> {
    "[a-zé\0 ]{0,6}"
}

fn record() -> impl Strategy<Value = Record> {
    let texts = (text(), text(), text(), text(), text(), text(), text());
    let times = any::<[Option<i64>; 4]>();
    let numbers = any::<(Option<u64>, Option<u64>, Option<u16>, Option<u8>)>();
    let headers = prop::collection::vec((text(), prop::collection::vec(text(), 0..3)), 0..3);
    (texts, times, numbers, headers).prop_map(|(texts, times, numbers, headers)| {
        let (url, file_path, dimension, request_id, source, eg_ids, title) = texts;
        let [created_at, expires_at, last_access, last_bot_hit] = times;
        let (size, disk_size, status_code, index_status) = numbers;
        Record {
            url,
            file_path,
            dimension,
            request_id,
            created_at,
            expires_at,
            last_access,
            size,
            disk_size,
            source,
            status_code,
            headers,
            eg_ids,
            last_bot_hit,
            index_status,
            title,
        }
    })
}

proptest! {
    #[test]
    fn a_record_is_read_as_it_was_written_and_no_part_of_it_is_one(record in record(), cut: prop::sample::Index) {
        let head = Head { gone_at: 1, file_path: record.file_path.clone() };
        let body = body(&record);
        prop_assert_eq!(decode(head.clone(), &body), Some(record));
        prop_assert_eq!(decode(head, &body[..cut.index(body.len())]), None);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
        decode(Head { gone_at: 1, file_path: String::new() }, &bytes);
    }
}
