//! The site whose pages are fetched: of fifty answers one is an error.

use std::{
    cell::Cell,
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::spawn_local};

use crate::Result;

thread_local! {
    static PORT: Cell<u16> = const { Cell::new(0) };
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

/// Opens the site on a free port.
pub async fn open() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    PORT.set(address.port());
    spawn_local(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            spawn_local(async move {
                // A client that goes away ends its connection; nobody needs to know.
                http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)).await.ok();
            });
        }
    });
    Ok(address)
}

/// The address of a page.
pub fn url(page: u64) -> String {
    format!("http://localhost:{}/page-{page}", PORT.get())
}

async fn answer(request: Request<Incoming>) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    ASKED.set(ASKED.get() + 1);
    let page = format!("<title>{0}</title><p>{0}</p>{1}", request.uri().path(), "<p>text</p>".repeat(200));
    let mut response = Response::new(Full::new(Bytes::from(page)));
    if ASKED.get().is_multiple_of(50) {
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    }
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("text/html"));
    Ok(response)
}
