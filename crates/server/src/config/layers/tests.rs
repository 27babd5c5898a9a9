use super::*;

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Root {
    name: Option<String>,
    ratio: f64,
    offset: i64,
    list: Vec<String>,
    inner: Inner,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Inner {
    on: bool,
    deep: Deep,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Deep {
    key_count: u64,
}

fn layers(file: &str, env: &[(&str, &str)]) -> Layers {
    let env = env.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Layers { file: file.parse().unwrap(), env, file_name: "f".to_owned(), ..Layers::default() }
}

#[test]
fn the_environment_reaches_nested_keys_without_a_file() {
    let env = [
        ("MANIFOLD_NAME", "n"),
        ("MANIFOLD_RATIO", "0.5"),
        ("MANIFOLD_OFFSET", "-3"),
        ("MANIFOLD_LIST", "a, b,,c"),
        ("MANIFOLD_INNER_ON", "true"),
        ("MANIFOLD_INNER_DEEP_KEY_COUNT", "9"),
    ];
    let (root, unused) = read::<Root>(&layers("", &env)).unwrap();
    let inner = Inner { on: true, deep: Deep { key_count: 9 } };
    let list = ["a", "b", "c"].map(str::to_owned).to_vec();
    assert_eq!(root, Root { name: Some("n".to_owned()), ratio: 0.5, offset: -3, list, inner });
    assert_eq!(unused, [""; 0]);
}

#[test]
fn sources_mix_key_by_key() {
    let file = "ratio = 1.5\nlist = [\"x\"]\n[inner]\non = true\n[inner.deep]\nkey_count = 1";
    let (root, _) = read::<Root>(&layers(file, &[("MANIFOLD_INNER_DEEP_KEY_COUNT", "2")])).unwrap();
    assert_eq!((root.ratio, root.inner), (1.5, Inner { on: true, deep: Deep { key_count: 2 } }));
    assert_eq!(root.list, ["x"]);
}

#[test]
fn flags_beat_the_environment_and_that_beats_the_originals() {
    let setting = |key, text: &str| Setting { key, text: text.to_owned(), source: "somewhere" };
    let mut layers = layers("offset = 1", &[]);
    layers.originals.push(setting("offset", "2"));
    assert_eq!(read::<Root>(&layers).unwrap().0.offset, 2);
    layers.env.insert("MANIFOLD_OFFSET".to_owned(), "3".to_owned());
    assert_eq!(read::<Root>(&layers).unwrap().0.offset, 3);
    layers.flags.push(setting("offset", "4"));
    assert_eq!(read::<Root>(&layers).unwrap().0.offset, 4);
}

#[test]
fn unknown_nested_keys_are_refused() {
    let error = read::<Root>(&layers("[inner.deep]\nkey_cuont = 1", &[])).unwrap_err();
    assert_eq!(error.to_string(), r#"f: unknown key "key_cuont" in [inner.deep]; did you mean "key_count"?"#);
}

#[test]
fn secrets_are_known_by_name() {
    for secret in ["unison.api_key", "auth.tokens", "synap.auth.jwt.secret", "x.internal_auth_key", "password", "key"] {
        assert!(is_secret(secret), "{secret}");
    }
    for open in ["inner.monkey", "limits.key_bytes", "host", "unison.port", "tokenizer"] {
        assert!(!is_secret(open), "{open}");
    }
}

#[test]
fn the_path_of_a_key_file_is_no_secret() {
    for open in ["tls.key", "unison.tls.key", "edgecomet.metrics.tls.key"] {
        assert!(!is_secret(open), "{open}");
    }
    assert!(is_secret("tls_key") && is_secret("flo.tls_key"));
}
