//! The proxy for a child: the same guard, a credential, bounds.

use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::Request;
use base64::Engine;
use fetch::{GuardedProxy, ProxyLimits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::lab::{fetcher, raw_at, serve};

const LIMITS: ProxyLimits = ProxyLimits { bytes: 1 << 20, connections: 4 };

/// The host and port of a proxy, and the header that it wants.
fn parts(proxy: &GuardedProxy) -> (String, String) {
    let url = proxy.url();
    let (credential, address) = url.strip_prefix("http://").unwrap().split_once('@').unwrap();
    let encoded = base64::engine::general_purpose::STANDARD.encode(credential);
    (address.to_owned(), format!("Proxy-Authorization: Basic {encoded}\r\n"))
}

/// Sends text and reads the whole answer.
async fn talk(address: &str, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn echo() -> String {
    serve(Router::new().fallback(|request: Request| async move {
        let headers: Vec<String> = request
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}={}", value.to_str().unwrap()))
            .collect();
        format!("{} {} {}", request.method(), request.uri(), headers.join(" "))
    }))
    .await
}

#[tokio::test]
async fn requests_and_tunnels_reach_what_is_opened() {
    let url = echo().await;
    let proxy = fetcher().proxy(LIMITS).await.unwrap();
    let (address, header) = parts(&proxy);
    let answer =
        talk(&address, &format!("GET {url}/a?b=1 HTTP/1.1\r\nHost: x\r\n{header}X-Kept: yes\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("GET /a?b=1"), "{answer}");
    assert!(answer.contains("x-kept=yes") && !answer.contains("proxy-authorization"), "{answer}");
    let host = url.strip_prefix("http://").unwrap();
    assert!(answer.contains(&format!("host={host}")), "{answer}");
    let inner = format!("GET /inside HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let answer = talk(&address, &format!("CONNECT {host} HTTP/1.1\r\n{header}\r\n{inner}")).await;
    assert!(answer.starts_with("HTTP/1.1 200 Connection Established\r\n\r\n"), "{answer}");
    assert!(answer.contains("GET /inside"), "{answer}");
    assert!(proxy.used() > 0);
}

#[tokio::test]
async fn nobody_else_is_served_and_nothing_private_is_reached() {
    let (_, inside, connections) =
        raw_at("127.0.0.2:0", |_, _| b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx".to_vec()).await;
    let url = echo().await;
    let proxy = fetcher().proxy(LIMITS).await.unwrap();
    let (address, header) = parts(&proxy);
    for wrong in ["", "Proxy-Authorization: Basic Y2hpbGQ6eA==\r\n"] {
        let answer = talk(&address, &format!("GET {url}/ HTTP/1.1\r\n{wrong}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 407"), "{answer}");
    }
    for (request, status) in [
        (format!("CONNECT {inside}"), 403),
        (format!("GET http://{inside}/"), 403),
        ("CONNECT 169.254.169.254:80".to_owned(), 403),
        ("CONNECT [::1]:443".to_owned(), 403),
        ("CONNECT 2130706434:443".to_owned(), 403),
        ("CONNECT 8.8.8.8:22".to_owned(), 403),
        ("GET ftp://127.0.0.1/".to_owned(), 400),
        ("GET file:///etc/passwd".to_owned(), 400),
        ("GET /".to_owned(), 400),
        ("CONNECT 127.0.0.1:1/x?y".to_owned(), 400),
        (format!("DELETE {url}/"), 400),
        ("nonsense".to_owned(), 400),
    ] {
        let answer = talk(&address, &format!("{request} HTTP/1.1\r\n{header}\r\n")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request}: {answer}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
    let long = format!("GET {url}/ HTTP/1.1\r\n{header}X: {}\r\n\r\n", "x".repeat(20_000));
    assert!(!talk(&address, &long).await.contains("200"));
}

#[tokio::test]
async fn bytes_are_bounded_and_it_ends_with_its_owner() {
    let url = serve(Router::new().fallback(|| async { "x".repeat(3 << 20) })).await;
    let proxy = fetcher().proxy(LIMITS).await.unwrap();
    let (address, header) = parts(&proxy);
    let answer = talk(&address, &format!("GET {url}/ HTTP/1.1\r\n{header}\r\n")).await;
    assert!(answer.len() <= (1 << 20) + 1024, "{}", answer.len());
    drop(proxy);
    // The listener goes with its task, which is stopped as soon as the runtime comes to it.
    for _ in 0..1000 {
        if TcpStream::connect(&address).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the proxy still listens");
}
