//! What hyper alone does on the same runtime: reads the request, its body included, and answers with the same bytes.

use std::{convert::Infallible, io::Read, net::Ipv4Addr};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Body, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::Result;

/// How the bare server answers.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Bytes of the body of every answer.
    #[arg(long)]
    body_bytes: usize,
    /// Make them a JSON string.
    #[arg(long)]
    json: bool,
}

/// Listens on a free port, prints it, and serves until standard input ends: the server cannot outlive who started it.
pub fn run(args: &Args) -> Result<()> {
    let mut body = vec![b'x'; args.body_bytes];
    if let (true, [first, .., last]) = (args.json, &mut body[..]) {
        (*first, *last) = (b'"', b'"');
    }
    let body = Bytes::from(body);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    println!("{}", listener.local_addr()?.port());
    runtime.spawn(accept(listener, body));
    let mut until_closed = Vec::new();
    std::io::stdin().read_to_end(&mut until_closed)?;
    runtime.shutdown_background();
    Ok(())
}

async fn accept(listener: TcpListener, body: Bytes) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let body = body.clone();
        tokio::spawn(async move {
            stream.set_nodelay(true).ok();
            let service = service_fn(|request| answer(request, body.clone()));
            // A client that goes away ends its connection; nobody needs to know.
            http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
        });
    }
}

async fn answer(request: Request<Incoming>, body: Bytes) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    if !request.body().is_end_stream() {
        request.into_body().collect().await.ok();
    }
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
