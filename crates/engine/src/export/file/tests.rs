use super::*;

const LONGEST: usize = 4096;

/// A file with these lines and a last line that fits them.
fn file(lines: &[&str]) -> String {
    let mut text = String::from("{\"manifold\":\"export\",\"format\":1,\"id\":\"i\",\"sequence\":7,\"at\":8}\n");
    let mut counts = Counts::default();
    for line in lines {
        text += line;
        text += "\n";
        if let Ok(Line::Record(record)) = Line::read(&mut line.as_bytes().to_vec()) {
            counts.record(&record);
        }
    }
    counts.bytes(text.as_bytes());
    let mut last = Vec::new();
    counts.trailer().write(&mut last);
    text + std::str::from_utf8(&last).expect("text")
}

const FLOOR: &str = r#"{"type":"floor","namespace":"n","version":3}"#;

/// How many records can be read, and what is wrong behind them.
fn read(text: &[u8]) -> (u64, Option<String>) {
    let mut reader = match FileReader::open(text, LONGEST) {
        Ok(reader) => reader,
        Err(error) => return (0, Some(error.to_string())),
    };
    let mut records = 0;
    loop {
        match reader.next_piece() {
            Ok(Some(piece)) => records += piece.records.len() as u64,
            Ok(None) => return (records, None),
            Err(error) => return (records, Some(error.to_string())),
        }
    }
}

#[test]
fn a_whole_file_is_read_to_its_end() {
    let text = file(&[FLOOR; 2500]);
    assert_eq!(read(text.as_bytes()), (2500, None));
    assert_eq!(read(text.trim_end().as_bytes()), (2500, None));
    assert_eq!(read(file(&[]).as_bytes()), (0, None));
}

#[test]
fn every_cut_and_every_flipped_bit_is_noticed() {
    let text = file(&[FLOOR, FLOOR]);
    for end in 0..text.len() - 1 {
        assert!(read(&text.as_bytes()[..end]).1.is_some(), "cut at {end}");
    }
    // What follows the first line's id names no place in the file that could be checked without the last line.
    for at in 0..text.len() - 1 {
        for bit in 0..8 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            assert!(read(&bytes).1.is_some(), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn a_fault_is_named_with_its_line() {
    let long = format!(r#"{{"type":"floor","namespace":"{}","version":3}}"#, "n".repeat(LONGEST));
    let whole = file(&[FLOOR]);
    let swapped: Vec<&str> = whole.lines().rev().collect();
    let newer = whole.replace("\"format\":1", "\"format\":2");
    let other = whole.replace("\"manifold\":\"export\"", "\"manifold\":\"backup\"");
    for (text, records, wrong) in [
        (String::new(), 0, "line 1: it is not the first line of an export"),
        (FLOOR.to_owned(), 0, "line 1: it is not the first line of an export"),
        (swapped.join("\n"), 0, "line 1: it is not the first line of an export"),
        (newer, 0, "line 1: the format is 2, this program reads 1"),
        (other, 0, "line 1: it is no export but \"backup\""),
        (file(&[FLOOR, "", FLOOR]), 1, "line 3: a line is an object whose first member is \"type\""),
        (file(&[FLOOR, &long]), 1, "line 3: the line is longer than 4096 bytes"),
        (file(&[FLOOR, FLOOR, r#"{"type":"nothing"}"#]), 2, "line 4: there is no type \"nothing\""),
        (whole.repeat(2), 1, "line 4: there is something behind the last line"),
        (whole.replace("\"version\":3", "\"version\":4"), 1, "line 3: the bytes before the last line are not those"),
        (whole.replace("{\"floor\":1}", "{\"floor\":2}"), 1, "line 3: the lines are not as many of each type"),
        (whole.lines().take(2).collect::<Vec<_>>().join("\n"), 1, "line 3: the file ends before its last line"),
    ] {
        let (read, what) = read(text.as_bytes());
        let what = what.expect("a fault");
        assert!(what.starts_with(wrong), "{what:?} is not {wrong:?}");
        assert_eq!(read, records, "{wrong}");
    }
}

#[test]
fn pieces_have_the_bytes_they_were_read_from() {
    let text = file(&[FLOOR; 3]);
    let mut reader = FileReader::open(text.as_bytes(), LONGEST).expect("opens");
    let piece = reader.next_piece().expect("reads").expect("a piece");
    assert_eq!(piece.bytes, format!("{FLOOR}\n").repeat(3).into_bytes());
    let again = read_records(&piece.bytes, 2).expect("reads");
    assert_eq!(again.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 4]);
    assert!(read_records(text.as_bytes(), 1).is_err());
}

#[test]
fn a_rule_of_somebody_else_refuses_a_line_and_those_before_it_come_first() {
    let text = file(&[FLOOR, r#"{"type":"floor","namespace":"n","version":4}"#, FLOOR]);
    let rule: Refuse = |record| matches!(record, Record::Floor(floor) if floor.version == 4).then(|| "four".to_owned());
    let mut reader = FileReader::open(text.as_bytes(), LONGEST).expect("opens").refusing(rule);
    assert_eq!(reader.next_piece().expect("what stands before it").map(|piece| piece.records.len()), Some(1));
    assert_eq!(reader.next_piece().expect_err("is refused").to_string(), "line 3: four");
}
