//! What the configuration may say about TLS, and what keeps the process from starting.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use crate::harness::{Authority, run_to_exit};

/// `manifold check` of this file in a folder: exit code and what it printed.
fn check(folder: &Path, config: &str) -> (Option<i32>, String) {
    fs::write(folder.join("manifold.toml"), config).expect("write the file");
    let finished = run_to_exit(&["check"], &[], folder);
    (finished.status.code(), finished.output)
}

#[test]
fn check_shows_the_files_and_when_the_certificate_ends() {
    let authority = Authority::new();
    let pair = authority.sign("server");
    let config = "[tls]\ncert = \"server.pem\"\nkey = \"server.key\"\n[flo.tls]\nenabled = false\n";
    let (code, output) = check(authority.folder(), config);
    assert_eq!(code, Some(0), "{output}");
    for text in [
        "cert = \"server.pem\"",
        "key = \"server.key\"",
        "tls.cert: server.pem: shown by dunena, edgecomet, metrics, synap, unison until 2090-01-01T00:00:00Z",
    ] {
        assert!(output.contains(text), "no {text:?} in\n{output}");
    }

    fs::set_permissions(&pair.key, fs::Permissions::from_mode(0o644)).expect("set the mode");
    authority.sign_until("server", 2001);
    fs::set_permissions(&pair.key, fs::Permissions::from_mode(0o644)).expect("set the mode");
    let (code, output) = check(authority.folder(), config);
    assert_eq!(code, Some(0), "{output}");
    for text in [
        "tls.key: server.key: others than its owner and group may use the private key (mode 644)",
        "tls.cert: server.pem: this certificate has expired",
    ] {
        assert!(output.contains(text), "no {text:?} in\n{output}");
    }
}

#[test]
fn what_cannot_be_used_is_said_with_its_key_and_file() {
    let authority = Authority::new();
    let folder = authority.folder();
    authority.sign("server");
    authority.sign("other");
    let server_key = fs::read_to_string(folder.join("server.key")).expect("a key");
    fs::write(folder.join("encrypted.key"), server_key.replace("PRIVATE", "ENCRYPTED PRIVATE")).expect("write");
    fs::write(folder.join("long.pem"), vec![b'x'; 2 << 20]).expect("write");
    fs::write(folder.join("empty.pem"), "").expect("write");
    fs::write(folder.join("broken.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        .expect("write");
    for (config, expected) in [
        ("[tls]\ncert = \"no.pem\"\nkey = \"server.key\"", "tls.cert: no.pem: No such file"),
        ("[tls]\ncert = \"server.pem\"\nkey = \"no.key\"", "tls.key: no.key: No such file"),
        ("[tls]\ncert = \"server.pem\"\nkey = \".\"", "tls.key: .: Is a directory"),
        ("[tls]\ncert = \"long.pem\"\nkey = \"server.key\"", "tls.cert: long.pem: it is longer than 1048576 bytes"),
        ("[tls]\ncert = \"empty.pem\"\nkey = \"server.key\"", "tls.cert: empty.pem: there is no certificate in it"),
        ("[tls]\ncert = \"broken.pem\"\nkey = \"server.key\"", "tls.cert: broken.pem: "),
        ("[tls]\ncert = \"server.pem\"\nkey = \"server.pem\"", "tls.key: server.pem: there is no private key in it"),
        (
            "[tls]\ncert = \"server.pem\"\nkey = \"other.key\"",
            "tls.key: other.key: this is not the private key of the certificate in server.pem",
        ),
        (
            "[tls]\ncert = \"server.pem\"\nkey = \"encrypted.key\"",
            "tls.key: encrypted.key: the private key is encrypted",
        ),
        ("[tls]\ncert = \"server.pem\"", "tls.key is missing: tls.cert is set"),
        ("[synap.tls]\nkey = \"server.key\"", "synap.tls.cert is missing: synap.tls.key is set"),
        ("[unison.tls]\nenabled = true", "tls.cert is missing: unison.tls.enabled is true"),
        ("[flo.metrics.tls]\ncert = \"no.pem\"\nkey = \"no.key\"", "flo.metrics.tls.cert: no.pem: No such file"),
        (
            "[tls]\ncert = \"server.pem\"\nkey = \"server.key\"\nclient_ca = \"empty.pem\"",
            "tls.client_ca: empty.pem: there is no certificate in it",
        ),
        ("[tls]\nmin_version = \"1.1\"", "tls.min_version: \"1.1\" is not one of 1.2, 1.3"),
        ("[tls]\nkye = \"server.key\"", "unknown key \"kye\" in [tls]; did you mean \"key\"?"),
    ] {
        let (code, output) = check(folder, config);
        assert_eq!(code, Some(78), "{config}\n{output}");
        assert!(output.contains(expected), "{config}\nno {expected:?} in\n{output}");
        assert!(
            !output.contains(server_key.lines().nth(1).expect("a line of the key")),
            "the key is printed\n{output}"
        );
    }
    // A listener that is off, or that does without, needs no files.
    for config in [
        "[tls]\nenabled = false\ncert = \"no.pem\"\nkey = \"no.key\"",
        "[dunena]\nenabled = false\n[dunena.tls]\ncert = \"no.pem\"\nkey = \"no.key\"",
        "[unison.tls]\nenabled = false\ncert = \"no.pem\"",
    ] {
        let (code, output) = check(folder, config);
        assert_eq!(code, Some(0), "{config}\n{output}");
    }
}

#[test]
fn serve_refuses_what_check_refuses() {
    let authority = Authority::new();
    let env = [("MANIFOLD_TLS_CERT", "no.pem"), ("MANIFOLD_TLS_KEY", "no.key")];
    let finished = run_to_exit(&["serve"], &env, authority.folder());
    assert_eq!(finished.status.code(), Some(78), "{}", finished.output);
    assert!(finished.output.contains("tls.cert: no.pem: No such file"), "{}", finished.output);
}
