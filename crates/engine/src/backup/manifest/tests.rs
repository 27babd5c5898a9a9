use super::*;

fn manifest() -> Manifest {
    let file = |name: &str| FileSum { name: name.to_owned(), shared: false, bytes: 3, sha256: hex([1; 32]) };
    Manifest { files: vec![file("log-0000000001.seg"), file("a/b")], ..Manifest::new(5, 7, Vec::new()) }
}

fn read(manifest: &Manifest) -> Result<Manifest, Unreadable> {
    let encoded = manifest.encode();
    Manifest::parse(&encoded, Manifest::sum(&encoded).as_bytes())
}

#[test]
fn a_manifest_reads_as_it_was_written() {
    assert_eq!(read(&manifest()).unwrap(), manifest());
    assert_eq!(manifest().bytes(), 6);
}

#[test]
fn a_newer_format_is_named() {
    let newer = Manifest { format: 2, ..manifest() };
    assert!(matches!(read(&newer), Err(Unreadable::Foreign(why)) if why == "its format is 2, not 1"));
}

#[test]
fn any_turned_bit_is_found() {
    let encoded = manifest().encode();
    let sum = Manifest::sum(&encoded);
    for bit in 0..encoded.len() * 8 {
        let mut turned = encoded.clone();
        turned[bit / 8] ^= 1 << (bit % 8);
        assert!(Manifest::parse(&turned, sum.as_bytes()).is_err(), "bit {bit}");
    }
}

#[test]
fn names_that_no_backup_has_are_refused() {
    for name in ["../log", "/etc/passwd", "LOCK", "control.sock", "backup.json", "", "a/b"] {
        let mut listed = manifest();
        listed.files[0].name = name.to_owned();
        assert!(matches!(read(&listed), Err(Unreadable::Damaged(_))), "{name:?}");
    }
}
