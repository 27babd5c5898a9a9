use super::*;

fn options(cert: &str, key: &str) -> TlsOptions {
    let path = |text: &str| (!text.is_empty()).then(|| PathBuf::from(text));
    TlsOptions { cert: path(cert), key: path(key), ..TlsOptions::default() }
}

fn enabled(options: TlsOptions, enabled: bool) -> TlsOptions {
    TlsOptions { enabled: Some(enabled), ..options }
}

/// The certificate that a listener shows, by the key that names it and its file.
fn cert(own: &TlsOptions, general: &TlsOptions) -> Option<(String, String)> {
    let files = own.over(general, "one.tls").unwrap();
    files.map(|files| (files.cert.key, files.cert.path.display().to_string()))
}

#[test]
fn a_listener_goes_before_what_is_said_for_all() {
    let (nothing, general, own) = (TlsOptions::default(), options("a", "a.key"), options("b", "b.key"));
    let of = |key: &str, path: &str| Some((key.to_owned(), path.to_owned()));
    assert_eq!(cert(&nothing, &nothing), None);
    assert_eq!(cert(&nothing, &general), of("tls.cert", "a"));
    assert_eq!(cert(&own, &nothing), of("one.tls.cert", "b"));
    assert_eq!(cert(&own, &general), of("one.tls.cert", "b"));
    assert_eq!(cert(&enabled(nothing.clone(), false), &general), None);
    assert_eq!(cert(&enabled(own.clone(), false), &general), None);
    assert_eq!(cert(&nothing, &enabled(general.clone(), false)), None);
    assert_eq!(cert(&enabled(nothing, true), &enabled(general, false)), of("tls.cert", "a"));
}

#[test]
fn a_certificate_and_its_key_are_named_together() {
    let general = options("a", "a.key");
    for (own, missing) in [(options("b", ""), "one.tls.key"), (options("", "b.key"), "one.tls.cert")] {
        let refused = own.over(&general, "one.tls").unwrap_err().to_string();
        assert!(refused.starts_with(&format!("{missing} is missing: ")), "{refused}");
    }
    let none = enabled(TlsOptions::default(), true).over(&TlsOptions::default(), "one.tls").unwrap_err();
    assert_eq!(none.to_string(), "tls.cert is missing: one.tls.enabled is true");
}

#[test]
fn an_empty_path_stands_for_none() {
    let empty = TlsOptions { cert: Some(PathBuf::new()), key: Some(PathBuf::new()), ..TlsOptions::default() };
    assert_eq!(cert(&empty, &TlsOptions::default()), None);
    let ca = |path: &str| TlsOptions { client_ca: Some(PathBuf::from(path)), ..options("a", "a.key") };
    let asked = |own: TlsOptions, general: TlsOptions| {
        let files = own.over(&general, "one.tls").unwrap().unwrap();
        files.client_ca.map(|file| file.key)
    };
    let nothing = TlsOptions::default();
    assert_eq!(asked(nothing.clone(), ca("c")), Some("tls.client_ca".to_owned()));
    assert_eq!(asked(ca(""), ca("c")), None, "one listener asks for none");
    assert_eq!(asked(ca("d"), ca("c")), Some("one.tls.client_ca".to_owned()));
    let newest = TlsOptions { min_version: Some(TlsVersion::V1_3), ..nothing };
    assert_eq!(newest.over(&ca("c"), "one.tls").unwrap().unwrap().min_version, TlsVersion::V1_3);
}
