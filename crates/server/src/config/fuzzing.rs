//! Files of configuration, ours and those of originals: whatever they say, there is a configuration or a reason why not,
//! in one line and without a secret; what is in force can be shown and is read as the same again.

use super::{Config, effective, flo_file, layers, layers::Layers, yaml};
use crate::{
    dialects::edgecomet::{self, HostConfig},
    fuzzing::input::Input,
};

pub(crate) fn read(data: &[u8]) {
    let mut input = Input::new(data);
    let what = input.byte();
    let Ok(text) = std::str::from_utf8(input.rest()) else { return };
    match what % 4 {
        0 => ours(text),
        1 => flo(text),
        2 => environment(text),
        _ => yaml(text),
    }
}

fn ours(text: &str) {
    let Ok(file) = text.parse() else { return };
    settled(&Layers { file, ..Layers::default() });
}

fn flo(text: &str) {
    let mut layers = Layers::default();
    match flo_file::lay("flo.toml", text, &mut layers) {
        Ok(notes) => {
            assert!(notes.len() <= 1);
            settled(&layers);
        }
        Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
    }
}

/// Names and texts by turns, a line each.
fn environment(text: &str) {
    let lines: Vec<&str> = text.lines().collect();
    let pairs = lines.chunks_exact(2).map(|pair| (format!("MANIFOLD_{}", pair[0]), pair[1].to_owned()));
    settled(&Layers { env: pairs.collect(), ..Layers::default() });
}

fn settled(layers: &Layers) {
    let Ok((config, _)) = layers::read::<Config>(layers) else { return };
    let shown = effective(&config).expect("what was read can be written");
    let file = shown.parse().expect("what is shown is a file");
    let (again, unused) = layers::read::<Config>(&Layers { file, ..Layers::default() })
        .unwrap_or_else(|error| panic!("{error}: {shown}"));
    assert!(unused.is_empty(), "{unused:?}");
    assert_eq!(effective(&again).expect("as before"), shown);
}

fn yaml(text: &str) {
    let mut table = match yaml::parse(text) {
        Ok(table) => table,
        Err(error) => return assert!(!error.contains('\n'), "{error}"),
    };
    for host in table.get("hosts").and_then(toml::Value::as_array).into_iter().flatten() {
        drop(host.clone().try_into::<HostConfig>());
    }
    // Who includes files reads what is there: not a fuzzer's.
    table.remove("hosts_include");
    table.remove("eg_config");
    let Ok(config) = table.try_into::<edgecomet::Config>() else { return };
    drop(config.check(true));
    drop(config.check_hosts());
}
