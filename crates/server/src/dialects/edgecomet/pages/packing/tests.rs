use super::*;

const ALL: [(Compression, Packing); 3] =
    [(Compression::None, Packing::Plain), (Compression::Snappy, Packing::Snappy), (Compression::Lz4, Packing::Lz4)];

#[test]
fn a_body_comes_back_as_it_was() {
    for length in [0, 1, 1023, 1024, 100_000] {
        let body: Vec<u8> = (0..length).map(|at| (at / 7 % 251) as u8).collect();
        for (compression, packing) in ALL {
            let (found, packed) = pack(compression, &body);
            assert_eq!(found, if length < 1024 { Packing::Plain } else { packing }, "{length}");
            let back = unpack(found, packed.into_owned(), length as u64).expect("not damaged");
            assert_eq!(back, body, "{compression:?} {length}");
        }
    }
}

#[test]
fn the_name_of_a_file_tells_how_it_is_packed() {
    for (_, packing) in ALL {
        assert_eq!(Packing::of(&format!("a.html{}", packing.suffix())), packing);
    }
}

#[test]
fn damaged_files_and_bombs_are_refused() {
    let zeros = vec![0; 1 << 20];
    for (compression, _) in &ALL[1..] {
        let (packing, packed) = pack(*compression, &zeros);
        assert!(packed.len() < 100_000);
        let error = unpack(packing, packed.clone().into_owned(), 1000).unwrap_err();
        assert_eq!(error.to_string(), "the page is too long");
        assert!(unpack(packing, packed[..packed.len() / 2].to_vec(), 1 << 20).is_err(), "{compression:?} cut off");
        assert!(unpack(packing, b"no such format at all".to_vec(), 1 << 20).is_err(), "{compression:?}");
        // A length of 4 GiB is announced; nothing is reserved for it.
        let announced = [0xff, 0xff, 0xff, 0xff, 0x0f, 0];
        assert!(unpack(packing, announced.to_vec(), 1 << 20).is_err(), "{compression:?}");
    }
}

#[test]
fn formats_are_those_that_other_programs_read() {
    let body = vec![b'x'; 2048];
    let (_, snappy) = pack(Compression::Snappy, &body);
    assert_eq!(&snappy[..2], [0x80, 0x10], "a raw block begins with the length of what was packed");
    let (_, lz4) = pack(Compression::Lz4, &body);
    assert_eq!(&lz4[..4], [0x04, 0x22, 0x4d, 0x18], "a frame begins with its magic number");
}
