//! Backups whose bytes are not those that were written.

use super::*;

async fn house() -> (House, Vec<u8>) {
    let house = House::new().await;
    for n in 0..3 {
        house.set(&format!("k{n}"), &format!("\"{}\"", "v".repeat(400))).await;
    }
    let mut whole = Vec::new();
    house.engine.backup(&[]).await.unwrap().write_to(&mut whole).unwrap();
    (house, whole)
}

fn refused(house: &House, what: &str, from: &Path) {
    let to = house.path("restored");
    let error = restored(from, &to).expect_err(what);
    assert!(matches!(error, BackupError::Damaged { .. } | BackupError::Foreign { .. }), "{what}: {error}");
    assert!(!to.exists() && !house.path("restored.partial").exists(), "{what}");
}

/// The same without restoring, which is quicker.
fn unsound(what: &str, from: &Path) {
    let error = check::archive(&fs::File::open(from).unwrap(), from).expect_err(what);
    assert!(matches!(error, BackupError::Damaged { .. } | BackupError::Foreign { .. }), "{what}: {error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_turned_bit_and_no_missing_end_of_a_file_is_accepted() {
    let (house, whole) = house().await;
    let from = house.path("bad.mfb");
    // Some bits of every part; a prime, so that all bits of a byte and all fields of a header have their turn.
    for bit in (0..whole.len() * 8).step_by(97) {
        let mut turned = whole.clone();
        turned[bit / 8] ^= 1 << (bit % 8);
        fs::write(&from, turned).unwrap();
        unsound(&format!("bit {bit}"), &from);
        if bit % 32 == 0 {
            refused(&house, &format!("bit {bit}"), &from);
        }
    }
    for end in (0..whole.len()).step_by(257).chain(whole.len() - 3..whole.len()) {
        fs::write(&from, &whole[..end]).unwrap();
        unsound(&format!("{end} bytes"), &from);
        if end % 16 == 0 {
            refused(&house, &format!("{end} bytes"), &from);
        }
    }
    fs::write(&from, [whole.clone(), vec![0]].concat()).unwrap();
    refused(&house, "a byte behind the end", &from);
    fs::write(&from, &whole).unwrap();
    restored(&from, &house.path("restored")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_changed_file_of_a_directory_is_accepted() {
    let (house, whole) = house().await;
    let from = house.path("backup");
    receive(&mut &*whole, &from).unwrap();
    for name in ["log-0000000001.seg", "backup.json", "backup.json.sha256"] {
        let path = from.join(name);
        let bytes = fs::read(&path).unwrap();
        for bit in (0..bytes.len() * 8).step_by(211) {
            let mut turned = bytes.clone();
            turned[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, turned).unwrap();
            refused(&house, &format!("{name} bit {bit}"), &from);
        }
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        refused(&house, &format!("{name} cut"), &from);
        fs::write(&path, [&*bytes, b"x"].concat()).unwrap();
        refused(&house, &format!("{name} longer"), &from);
        fs::remove_file(&path).unwrap();
        refused(&house, &format!("{name} missing"), &from);
        std::os::unix::fs::symlink("/etc/hostname", &path).unwrap();
        refused(&house, &format!("{name} a link"), &from);
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
    }
    restored(&from, &house.path("restored")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn archives_of_somebody_else_lead_nowhere() {
    let (house, whole) = house().await;
    let from = house.path("evil.mfb");
    let with = |change: &dyn Fn(&mut [u8])| {
        let mut evil = whole.clone();
        change(&mut evil[..512]);
        // With a checksum that is right.
        evil[148..156].copy_from_slice(b"        ");
        let sum: u32 = evil[..512].iter().map(|byte| u32::from(*byte)).sum();
        evil[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        evil
    };
    let named = |name: &'static str| {
        move |header: &mut [u8]| {
            header[..100].fill(0);
            header[..name.len()].copy_from_slice(name.as_bytes());
        }
    };
    let evils = [
        with(&named("../outside")),
        with(&named("/tmp/outside")),
        with(&named("a/../../outside")),
        with(&named("LOCK")),
        with(&named("control.sock")),
        with(&|header| header[156] = b'2'),
        with(&|header| header[156] = b'5'),
        with(&|header| header[157..165].copy_from_slice(b"/etc/pwd")),
        with(&|header| header[100..107].copy_from_slice(b"0004755")),
        with(&|header| header[124..135].copy_from_slice(b"77777777777")),
        b"no backup at all".to_vec(),
        vec![0; 4096],
    ];
    for (number, evil) in evils.iter().enumerate() {
        fs::write(&from, evil).unwrap();
        refused(&house, &format!("archive {number}"), &from);
    }
    assert_eq!(listed(house.home.path()), ["data", "evil.mfb"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_does_not_add_up_is_found_though_all_sums_are_right() {
    let (house, whole) = house().await;
    receive(&mut &*whole, &house.path("backup")).unwrap();
    let mut manifest = check::manifest_of(&house.path("backup")).unwrap();
    // Somebody made it up: a segment cut at a frame less, listed as it is.
    manifest.sequence += 1;
    let encoded = manifest.encode();
    fs::write(house.path("backup/backup.json"), &encoded).unwrap();
    fs::write(house.path("backup/backup.json.sha256"), Manifest::sum(&encoded)).unwrap();
    refused(&house, "another sequence", &house.path("backup"));
}
