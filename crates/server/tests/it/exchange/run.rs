//! Replays a scenario. A failed step does not end it: the message lists all deviations of the file.

use std::{
    collections::HashMap,
    fmt::Write as _,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    file::{Dialect, EventsStep, OpenSocket, RequestStep, Restart, Scenario, SocketStep, Step},
    template::{Variables, compare, render},
};
use crate::harness::{
    Authority, Connection, Endpoint, EventStream, Frame, Refused, Request, Response, Server, Settings, Socket,
    SocketOptions,
};

/// Deviations that are listed before a scenario is given up.
const MOST_DEVIATIONS: usize = 25;
/// Characters of a body that a message shows.
const SHOWN: usize = 1200;
/// Waiting for one message or event.
const ARRIVAL: Duration = Duration::from_secs(20);

struct Runner {
    server: Server,
    /// The one that the scenario is about.
    dialect: Dialect,
    connections: HashMap<Dialect, Connection>,
    variables: Variables,
    sockets: HashMap<String, Socket>,
    streams: HashMap<String, EventStream>,
}

/// Runs the scenario of one file.
pub fn run(file: &str, text: &str) {
    let scenario: Scenario = serde_yaml_ng::from_str(text).unwrap_or_else(|error| panic!("{file}: {error}"));
    run_with(file, &scenario, settings(&scenario));
}

/// The same with all listeners speaking TLS.
pub fn run_over_tls(file: &str, text: &str) {
    let scenario: Scenario = serde_yaml_ng::from_str(text).unwrap_or_else(|error| panic!("{file}: {error}"));
    let authority = Authority::new();
    let pair = authority.sign("server");
    run_with(file, &scenario, settings(&scenario).over_tls(&authority, &pair));
}

fn run_with(file: &str, scenario: &Scenario, settings: Settings) {
    let mut runner = Runner {
        server: Server::with(settings),
        dialect: dialect_of(file),
        connections: HashMap::new(),
        variables: Variables::new(),
        sockets: HashMap::new(),
        streams: HashMap::new(),
    };
    let mut deviations = Vec::new();
    for (index, step) in scenario.steps.iter().enumerate() {
        if let Err(what) = runner.step(step) {
            deviations.push(format!("step {} {}\n{what}", index + 1, step.title()));
        }
        if deviations.len() == MOST_DEVIATIONS {
            break;
        }
    }
    if deviations.is_empty() {
        runner.server.assert_alive();
        return;
    }
    let log = runner.server.log.tail();
    panic!(
        "{file} ({}): {} deviations\n\n{}\n\nserver log\n{log}",
        scenario.name,
        deviations.len(),
        deviations.join("\n")
    );
}

fn dialect_of(file: &str) -> Dialect {
    match file.split_once('/') {
        Some(("flo", _)) => Dialect::Flo,
        Some(("synap", _)) => Dialect::Synap,
        Some(("dunena", _)) => Dialect::Dunena,
        Some(("edgecomet", _)) => Dialect::EdgeComet,
        _ => Dialect::Unison,
    }
}

fn settings(scenario: &Scenario) -> Settings {
    let mut settings = Settings::default();
    for (path, value) in &scenario.server {
        let value = toml::Value::try_from(value).unwrap_or_else(|error| panic!("{path}: {error}"));
        settings = settings.set(path, value);
    }
    settings
}

impl Step {
    fn title(&self) -> String {
        match self {
            Step::Request(step) => format!("{} {:?}", short(&step.request), step.name.as_deref().unwrap_or_default()),
            Step::Restart(how) => format!("restart {how:?}"),
            Step::SleepMs(ms) => format!("sleep {ms} ms"),
            Step::Socket(step) => format!("ws {} {:?}", step.ws, step.name.as_deref().unwrap_or_default()),
            Step::Events(step) => format!("sse {} {:?}", step.sse, step.name.as_deref().unwrap_or_default()),
        }
    }
}

impl Runner {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Request(step) => self.request_step(step),
            Step::Restart(how) => {
                self.connections.clear();
                match how {
                    Restart::Stop => self.server.stop(),
                    Restart::Kill => self.server.kill(),
                }
                self.server.start_again();
                Ok(())
            }
            Step::SleepMs(ms) => {
                std::thread::sleep(Duration::from_millis(*ms));
                Ok(())
            }
            Step::Socket(step) => self.socket_step(step),
            Step::Events(step) => self.events_step(step),
        }
    }

    fn request_step(&mut self, step: &RequestStep) -> Result<(), String> {
        for i in 1..=step.times {
            self.variables.insert("i".to_owned(), i.to_string());
            let request = self.request(step)?;
            let start = Instant::now();
            loop {
                let sent = Instant::now();
                let response = self.send(step.on.unwrap_or(self.dialect), &request)?;
                let took = sent.elapsed();
                let found = self.check(step, &request, &response, took);
                if found.is_ok() {
                    break;
                }
                if start.elapsed() >= Duration::from_millis(step.within_ms) {
                    return found;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        Ok(())
    }

    fn request(&self, step: &RequestStep) -> Result<Request, String> {
        let line = render(&step.request, &self.variables)?;
        let (method, target) = line.split_once(' ').ok_or("a request is a method and a target")?;
        let key = Some(step.key.as_str()).filter(|key| *key != "none");
        let mut request = match (step.on.unwrap_or(self.dialect), key) {
            (Dialect::EdgeComet, Some(key)) => Request::new(method, target).key(None).header("X-Internal-Auth", key),
            (_, key) => Request::new(method, target).key(key),
        };
        for header in &step.headers {
            let header = render(header, &self.variables)?;
            let (name, value) = header.split_once(':').ok_or("a header is a name and a value")?;
            request = request.header(name, value.strip_prefix(' ').unwrap_or(value));
        }
        if let Some(body) = &step.body {
            request = request.body(render(body, &self.variables)?);
        }
        if let Some(body) = &step.body_hex {
            request = request.body(unhex(body)?);
        }
        Ok(request)
    }

    fn address(&self, dialect: Dialect) -> Endpoint {
        self.server.endpoint(match dialect {
            Dialect::Unison => self.server.unison(),
            Dialect::Flo => self.server.flo(),
            Dialect::Synap => self.server.synap(),
            Dialect::Dunena => self.server.dunena(),
            Dialect::EdgeComet => self.server.edgecomet(),
            Dialect::Metrics => self.server.metrics(),
        })
    }

    fn send(&mut self, dialect: Dialect, request: &Request) -> Result<Response, String> {
        let address = self.address(dialect);
        let mut connection = match self.connections.remove(&dialect) {
            Some(connection) => connection,
            None => Connection::try_open(address).map_err(|error| format!("  connect: {error}"))?,
        };
        let response = connection.send(request).map_err(|error| format!("  no answer: {error}"))?;
        if response.header("connection").is_none_or(|value| !value.eq_ignore_ascii_case("close")) {
            self.connections.insert(dialect, connection);
        }
        Ok(response)
    }

    fn check(
        &mut self,
        step: &RequestStep,
        request: &Request,
        response: &Response,
        took: Duration,
    ) -> Result<(), String> {
        let mut found = String::new();
        let text = response.text();
        let mut deviates = |what: &str, expected: &str, got: &str, why: &str| {
            write!(found, "  {what}: {why}\n    expected {}\n    got      {}\n", short(expected), short(got))
                .expect("a string takes everything");
        };
        if let Some(status) = step.status.filter(|status| *status != response.status) {
            deviates("status", &status.to_string(), &format!("{} {text}", response.status), "another");
        }
        let dialect = step.on.unwrap_or(self.dialect);
        let error = step.error.as_ref().map(|error| match dialect {
            Dialect::Unison | Dialect::Dunena | Dialect::Metrics => format!(r#"{{"error":"{error}"}}"#),
            Dialect::Flo => flo_error(response.status, error),
            Dialect::Synap => synap_error(&text, error),
            Dialect::EdgeComet => format!(r#"{{"status":"error","message":"{error}"}}"#),
        });
        if let Some(expected) = step.expect.as_ref().or(error.as_ref())
            && let Err(why) = compare(expected, &text, &mut self.variables)
        {
            deviates("body", expected, &text, &why);
        }
        if !step.at.is_empty() {
            let json: Value = serde_json::from_str(&text).unwrap_or_default();
            for (pointer, expected) in &step.at {
                let (Some(pointer), Some(expected)) = (pointer.as_str(), expected.as_str()) else {
                    return Err(format!("  at: {pointer:?} and {expected:?} must be texts"));
                };
                let got = look_up(&json, pointer);
                if let Err(why) = compare(expected, &got, &mut self.variables) {
                    deviates(pointer, expected, &got, &why);
                }
            }
        }
        for header in &step.want {
            if let Err((expected, got, why)) = check_header(header, response, &mut self.variables) {
                deviates("header", &expected, &got, &why);
            }
        }
        if let Some([least, most]) = step.took_ms
            && !(least..=most).contains(&(took.as_millis() as u64))
        {
            deviates("time", &format!("{least} to {most} ms"), &format!("{took:?}"), "another");
        }
        if let Err(why) = check_form(dialect, request, response) {
            deviates("form", "what every answer has", &text, &why);
        }
        if found.is_empty() { Ok(()) } else { Err(found.trim_end().to_owned()) }
    }

    fn socket_step(&mut self, step: &SocketStep) -> Result<(), String> {
        if let Some(open) = &step.open {
            let Some(socket) = self.open_socket(open)? else { return Ok(()) };
            self.sockets.insert(step.ws.clone(), socket);
        }
        let socket = self.sockets.get_mut(&step.ws).ok_or_else(|| format!("  no socket {:?} is open", step.ws))?;
        if let Some(text) = &step.send {
            socket.send(&render(text, &self.variables)?);
        }
        if let Some(bytes) = &step.send_binary_hex {
            socket.send_binary(&unhex(bytes)?);
        }
        for expected in &step.recv {
            let Frame::Text(text) = socket.receive(ARRIVAL) else {
                return Err(format!("  message: none came\n    expected {}", short(expected)));
            };
            compare(expected, &text, &mut self.variables).map_err(|why| {
                format!("  message: {why}\n    expected {}\n    got      {}", short(expected), short(&text))
            })?;
        }
        if let Some(ms) = step.quiet_ms {
            match socket.receive(Duration::from_millis(ms)) {
                Frame::Nothing => {}
                other => return Err(format!("  expected nothing, got {other:?}")),
            }
        }
        if step.drop {
            self.sockets.remove(&step.ws);
            return Ok(());
        }
        match step.closed {
            None => Ok(()),
            Some(code) => match socket.receive(ARRIVAL) {
                Frame::Closed(Some(got)) if got == code => Ok(()),
                other => Err(format!("  expected a close with {code}, got {other:?}")),
            },
        }
    }

    fn open_socket(&self, open: &OpenSocket) -> Result<Option<Socket>, String> {
        let address = self.address(self.dialect);
        let mut options = SocketOptions { protocols: open.protocols.clone(), ..SocketOptions::default() };
        options.key = Some(open.key.clone()).filter(|key| key != "none");
        if let Some(target) = &open.target {
            options.target = render(target, &self.variables)?;
        }
        for header in &open.headers {
            let header = render(header, &self.variables)?;
            let (name, value) = header.split_once(": ").ok_or("a header is a name and a value")?;
            options.headers.push((name.to_owned(), value.to_owned()));
        }
        match Socket::open(address, &options) {
            Err(Refused::Status(status)) if open.refused == Some(status) => Ok(None),
            Err(why) => Err(format!("  refused: {why:?}")),
            Ok(_) if open.refused.is_some() => Err("  the socket was granted".to_owned()),
            Ok(socket) if socket.protocol != open.chosen => Err(format!("  chosen protocol {:?}", socket.protocol)),
            Ok(socket) => Ok(Some(socket)),
        }
    }

    fn events_step(&mut self, step: &EventsStep) -> Result<(), String> {
        if let Some(target) = &step.open {
            let mut request = Request::get(render(target, &self.variables)?);
            for header in &step.headers {
                let header = render(header, &self.variables)?;
                let (name, value) = header.split_once(": ").ok_or("a header is a name and a value")?;
                request = request.header(name, value);
            }
            let opened =
                EventStream::open(self.address(Dialect::Unison), &request).map_err(|error| format!("  {error}"))?;
            let mut stream = opened.map_err(|refused| format!("  refused: {} {}", refused.status, refused.text()))?;
            stream.patience(ARRIVAL);
            self.streams.insert(step.sse.clone(), stream);
        }
        let stream = self.streams.get_mut(&step.sse).ok_or_else(|| format!("  no stream {:?} is open", step.sse))?;
        for expected in &step.recv {
            let event = match stream.next() {
                Ok(Some(event)) => event,
                other => return Err(format!("  event: none came ({other:?})\n    expected {}", short(expected))),
            };
            let got = format!("{} {} {}", event.event, event.id, event.data);
            compare(expected, &got, &mut self.variables).map_err(|why| {
                format!("  event: {why}\n    expected {}\n    got      {}", short(expected), short(&got))
            })?;
        }
        if step.drop {
            self.streams.remove(&step.sse);
        }
        Ok(())
    }
}

/// Rules that hold for every answer.
fn check_form(dialect: Dialect, request: &Request, response: &Response) -> Result<(), String> {
    let kind = response.header("content-type").unwrap_or_default();
    match dialect {
        Dialect::Dunena => return check_dunena_form(request, response),
        Dialect::EdgeComet => return check_edgecomet_form(request, response),
        Dialect::Unison | Dialect::Flo | Dialect::Synap | Dialect::Metrics => {}
    }
    let text_is_fine = dialect == Dialect::Metrics || request.target.ends_with("/metrics");
    if !response.body.is_empty() && !text_is_fine && !kind.starts_with("application/json") {
        return Err(format!("a body of type {kind:?}"));
    }
    if matches!(response.status, 300..=399) && response.status != 304 {
        return Err("a redirect".to_owned());
    }
    match dialect {
        Dialect::Unison => check_unison_form(request, response),
        Dialect::Flo => check_flo_form(request, response),
        Dialect::Synap => check_synap_form(request, response),
        Dialect::Dunena | Dialect::EdgeComet | Dialect::Metrics => Ok(()),
    }
}

/// Dunena's contract, 2: what browsers are told, an id, and a type; all but pages are JSON.
fn check_dunena_form(request: &Request, response: &Response) -> Result<(), String> {
    for name in [
        "access-control-allow-origin",
        "access-control-allow-methods",
        "access-control-allow-headers",
        "access-control-max-age",
        "x-request-id",
    ] {
        if response.header(name).is_none() {
            return Err(format!("no {name}"));
        }
    }
    let path = request.target.split('?').next().unwrap_or_default();
    let page = ["/docs", "/dashboard", "/metrics"].iter().any(|page| path.starts_with(page)) && response.status < 400;
    let kind = response.header("content-type").unwrap_or_default();
    if response.body.is_empty() || page {
        return Ok(());
    }
    if kind != "application/json;charset=utf-8" {
        return Err(format!("a body of type {kind:?}"));
    }
    let body: Value =
        serde_json::from_slice(&response.body).map_err(|error| format!("a body that is no JSON: {error}"))?;
    // The probe says what is wrong in a form of its own.
    let error = body.get("error").is_some_and(Value::is_string);
    let fine = error == (response.status >= 400) || path == "/health/ready";
    fine.then_some(()).ok_or_else(|| "an error without a text, or a success with one".to_owned())
}

/// EdgeComet's contract, 1: all is JSON with its length declared, but a stored page.
fn check_edgecomet_form(request: &Request, response: &Response) -> Result<(), String> {
    if response.header("content-length").is_none() {
        return Err("no content-length".to_owned());
    }
    let page = request.target.starts_with("/internal/cache/content") && response.status == 200;
    let kind = response.header("content-type").unwrap_or_default();
    if page || request.method == "HEAD" {
        return Ok(());
    }
    if kind != "application/json" {
        return Err(format!("a body of type {kind:?}"));
    }
    let body: Value =
        serde_json::from_slice(&response.body).map_err(|error| format!("a body that is no JSON: {error}"))?;
    if request.target.starts_with("/status") && response.status == 200 {
        return Ok(());
    }
    let success = response.status == 200;
    let status = body.get("status").is_none_or(|status| status == if success { "ok" } else { "error" });
    let flag = body.get("success").is_none_or(|flag| *flag == success);
    let told = body.get("status").or(body.get("success")).is_some();
    let said = body.get("data").is_some_and(|_| success) != body.get("message").is_some_and(Value::is_string);
    (status && flag && told && said).then_some(()).ok_or_else(|| "another envelope than the contract's".to_owned())
}

/// Unison's contract, I.1, I.5, II.7.
fn check_unison_form(request: &Request, response: &Response) -> Result<(), String> {
    if response.status >= 400 && request.method != "HEAD" && request.target != "/api/v1/ready" {
        let error: Value = serde_json::from_slice(&response.body).map_err(|error| format!("error body: {error}"))?;
        let named = error.get("error").is_some_and(Value::is_string);
        return named.then_some(()).ok_or_else(|| "an error body without text".to_owned());
    }
    let path = request.target.split('?').next().unwrap_or_default();
    let feeds = path.starts_with("/api/v1/kv/") || path == "/api/v1/batch" || path == "/api/v1/changes";
    if feeds && response.status == 200 && response.header("x-unison-seq").is_none_or(|seq| seq.parse::<u64>().is_err())
    {
        return Err("no X-Unison-Seq".to_owned());
    }
    Ok(())
}

/// Flo's contract, 3 and 16.2.
fn check_flo_form(request: &Request, response: &Response) -> Result<(), String> {
    for (name, value) in [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY")] {
        if response.header(name) != Some(value) {
            return Err(format!("no {name}: {value}"));
        }
    }
    if response.status < 400 || request.method == "HEAD" {
        return Ok(());
    }
    let error: Value = serde_json::from_slice(&response.body).map_err(|error| format!("error body: {error}"))?;
    let (code, named) = (flo_code(response.status), error.get("error").and_then(Value::as_str));
    // 16.1: clients of InfluxDB find a sentence there.
    let path = request.target.split('?').next().unwrap_or_default();
    let is_sentence = matches!(path, "/write" | "/api/v3/write_lp" | "/query") && named.is_some();
    if named != Some(code) && !is_sentence {
        return Err(format!("the code {named:?} instead of {code:?}"));
    }
    let complete =
        error.get("message").is_some_and(Value::is_string) && error.get("details").is_some_and(Value::is_object);
    complete.then_some(()).ok_or_else(|| "an error body without message or details".to_owned())
}

fn flo_code(status: u16) -> &'static str {
    match status {
        401 | 403 => "unauthorized",
        404 => "not_found",
        409 => "conflict",
        429 => "overloaded",
        503 => "unavailable",
        400..=499 => "bad_request",
        _ => "internal",
    }
}

/// The body of an error with this message: `details` names the member or parameter that the message names.
fn flo_error(status: u16, message: &str) -> String {
    let about = message.contains("' must be ") || message.ends_with("' is required");
    let field = message.split('\'').nth(1).filter(|_| about);
    let details = field.map_or("{}".to_owned(), |field| format!(r#"{{"field":"{field}"}}"#));
    format!(r#"{{"error":"{}","message":"{message}","details":{details}}}"#, flo_code(status))
}

/// Synap's contract, 2 and 3: the code goes with the status, the envelope with the route.
fn check_synap_form(request: &Request, response: &Response) -> Result<(), String> {
    if response.body.is_empty() || request.target.ends_with("/metrics") || request.target.ends_with("/health") {
        return Ok(());
    }
    let body: Value =
        serde_json::from_slice(&response.body).map_err(|error| format!("a body that is no JSON: {error}"))?;
    let enveloped = request.target.ends_with("/api/v1/command");
    let kind = body.get("type").and_then(Value::as_str);
    if enveloped && !matches!(kind, Some("response" | "batch_response")) {
        return Err(format!("an envelope of type {kind:?}"));
    }
    if enveloped && !body.get("request_id").is_some_and(Value::is_string) {
        return Err("an envelope without request_id".to_owned());
    }
    if response.status < 400 {
        let fine = body.get("error").is_none() && (!enveloped || body.get("success") == Some(&Value::Bool(true)));
        return fine.then_some(()).ok_or_else(|| "a success with an error in it".to_owned());
    }
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    // 17: old clients read the error as a text.
    if request.target.ends_with("/api/stream") {
        let code = text("/code").unwrap_or_default();
        let complete = text("/error").is_some() && synap_codes(response.status).contains(&code);
        return complete.then_some(()).ok_or_else(|| "an error that is no text with a code".to_owned());
    }
    let complete = text("/status") == Some("error")
        && body.get("success") == Some(&Value::Bool(false))
        && body.get("payload").is_none()
        && text("/error/message").is_some()
        && body.pointer("/error/details").is_some_and(Value::is_object);
    if !complete {
        return Err("an error body that is not complete".to_owned());
    }
    let code = text("/error/code").unwrap_or_default();
    synap_codes(response.status).contains(&code).then_some(()).ok_or_else(|| format!("the code {code}"))
}

fn synap_codes(status: u16) -> &'static [&'static str] {
    match status {
        400 | 408 | 414 => &["INVALID_REQUEST", "INVALID_COMMAND", "INDEX_OUT_OF_RANGE", "OFFSET_OUT_OF_RANGE"],
        401 => &["UNAUTHORIZED"],
        403 => &["FORBIDDEN"],
        404 => {
            &["NOT_FOUND", "KEY_NOT_FOUND", "QUEUE_NOT_FOUND", "ROOM_NOT_FOUND", "TOPIC_NOT_FOUND", "MESSAGE_NOT_FOUND"]
        }
        405 => &["METHOD_NOT_ALLOWED"],
        409 => &["KEY_EXISTS", "QUEUE_EXISTS", "ROOM_EXISTS", "WRONG_TYPE", "REPLICATION_ERROR"],
        413 => &["PAYLOAD_TOO_LARGE"],
        422 => &["INVALID_PAYLOAD"],
        429 => &["RATE_LIMIT_EXCEEDED"],
        503 => &["SERVICE_UNAVAILABLE"],
        507 => &["QUEUE_FULL", "MEMORY_LIMIT_EXCEEDED"],
        _ => &["INTERNAL_ERROR"],
    }
}

/// The answer as it is, if its error has this message; else one that shows that it should have.
fn synap_error(text: &str, message: &str) -> String {
    let body: Value = serde_json::from_str(text).unwrap_or_default();
    let found = body.pointer("/error/message").or(body.pointer("/error"));
    match found.and_then(Value::as_str) {
        Some(found) if found == message => text.to_owned(),
        _ => format!("an error with the message {message:?}"),
    }
}

fn check_header(header: &str, response: &Response, variables: &mut Variables) -> Result<(), (String, String, String)> {
    if let Some(name) = header.strip_prefix('!') {
        return match response.header(name) {
            None => Ok(()),
            Some(value) => Err((format!("no {name}"), format!("{name}: {value}"), "it is there".to_owned())),
        };
    }
    let (name, expected) = header.split_once(": ").expect("a wanted header is `Name: template`");
    match response.header(name) {
        None => Err((header.to_owned(), format!("{:?}", response.headers), "it is missing".to_owned())),
        Some(value) => {
            compare(expected, value, variables).map_err(|why| (header.to_owned(), format!("{name}: {value}"), why))
        }
    }
}

/// The value at a JSON pointer as text, `nothing` when there is none, the length of an array for `…/#`.
fn look_up(json: &Value, pointer: &str) -> String {
    if let Some(array) = pointer.strip_suffix("/#") {
        let length = json.pointer(array).and_then(Value::as_array).map(Vec::len);
        return length.map_or("nothing".to_owned(), |length| length.to_string());
    }
    json.pointer(pointer).map_or("nothing".to_owned(), Value::to_string)
}

fn short(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    format!("{}… ({} bytes)", text.chars().take(SHOWN).collect::<String>(), text.len())
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2).unwrap_or("?"), 16);
    (0..digits.len()).step_by(2).map(|at| byte(at).map_err(|_| format!("{digits:?} is not hexadecimal"))).collect()
}
