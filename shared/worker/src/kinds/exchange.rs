//! One HTTP request over a connection of its own: looked up inside the fence, TLS where the URL asks for it, HTTP/1.1.

use std::sync::{Arc, OnceLock};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderValue, LOCATION,
    PROXY_AUTHORIZATION, REFERER,
};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use tower_service::Service as _;
use url::Url;

use super::addresses::FencedResolver;

/// What is asked.
pub(super) struct Question {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// The request cannot be written.
    Invalid,
    /// There is no connection.
    Unreachable,
    /// The connection was lost before there was an answer.
    Silent,
}

/// Asks, and gives the answer as soon as its head is there.
///
/// # Errors
/// Why there is none.
pub(super) async fn exchange(
    question: &Question,
    resolver: FencedResolver,
) -> Result<Response<Incoming>, Unanswered> {
    let to: Uri = question
        .url
        .as_str()
        .parse()
        .map_err(|_| Unanswered::Invalid)?;
    let request = written(question, &to).ok_or(Unanswered::Invalid)?;
    let mut tcp = HttpConnector::new_with_resolver(resolver);
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let mut connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls())
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    std::future::poll_fn(|context| connector.poll_ready(context))
        .await
        .map_err(|_| Unanswered::Unreachable)?;
    let stream = connector.call(to).await.map_err(|error| {
        tracing::debug!(%error, "no connection");
        Unanswered::Unreachable
    })?;
    let (mut sender, connection) = http1::handshake(stream)
        .await
        .map_err(|_| Unanswered::Silent)?;
    // It ends with the answer, or when nobody waits for the answer any more.
    tokio::spawn(async move { drop(connection.await) });
    sender
        .send_request(request)
        .await
        .map_err(|_| Unanswered::Silent)
}

fn written(question: &Question, to: &Uri) -> Option<Request<Full<Bytes>>> {
    let path = to.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::builder()
        .method(question.method.clone())
        .uri(path)
        .body(Full::new(question.body.clone()))
        .ok()?;
    let headers = request.headers_mut();
    headers.clone_from(&question.headers);
    if !headers.contains_key(HOST) {
        let host = question.url.host_str()?;
        let host = match question.url.port() {
            Some(port) => HeaderValue::try_from(format!("{host}:{port}")),
            None => HeaderValue::from_str(host),
        };
        headers.insert(HOST, host.ok()?);
    }
    Some(request)
}

/// The system's certificates, read once in the life of the process.
fn tls() -> ClientConfig {
    static TLS: OnceLock<ClientConfig> = OnceLock::new();
    let read = || {
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("aws-lc offers what TLS 1.2 and 1.3 need");
        let nobody = RootCertStore::empty();
        match builder.clone().with_native_roots() {
            Ok(builder) => builder,
            Err(error) => {
                tracing::error!(%error, "no certificate of this system can be read: no server will be trusted");
                builder.with_root_certificates(nobody)
            }
        }
        .with_no_client_auth()
    };
    TLS.get_or_init(read).clone()
}

/// Where an answer sends its reader, if it does.
pub(super) fn redirect(answer: &Response<Incoming>, asked: &Url) -> Option<Url> {
    let follows = matches!(
        answer.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let place = answer.headers().get(LOCATION).filter(|_| follows)?;
    asked.join(place.to_str().ok()?).ok()
}

impl Question {
    /// The same question elsewhere: as a `GET` where the status asks for that, without secrets where the server is another.
    pub(super) fn turned(mut self, to: Url, status: StatusCode) -> Self {
        let as_get = match status {
            StatusCode::SEE_OTHER => self.method != Method::HEAD,
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => self.method == Method::POST,
            _ => false,
        };
        if as_get {
            self.method = Method::GET;
            self.body = Bytes::new();
            self.headers.remove(CONTENT_TYPE);
            self.headers.remove(CONTENT_ENCODING);
        }
        if self.url.origin() != to.origin() {
            for secret in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
                self.headers.remove(secret);
            }
        }
        if let Some(referer) = referer(&self.url, &to) {
            self.headers.insert(REFERER, referer);
        }
        self.url = to;
        self
    }
}

/// Where a request came from; nothing of a secured page goes to one that is not.
fn referer(from: &Url, to: &Url) -> Option<HeaderValue> {
    if from.scheme() == "https" && to.scheme() == "http" {
        return None;
    }
    let mut from = from.clone();
    from.set_username("").ok()?;
    from.set_password(None).ok()?;
    from.set_fragment(None);
    HeaderValue::from_str(from.as_str()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(method: Method) -> Question {
        let secret = HeaderValue::from_static("secret");
        let json = HeaderValue::from_static("application/json");
        Question {
            method,
            url: Url::parse("https://user:word@one.example/a?b#c").unwrap(),
            headers: HeaderMap::from_iter([(AUTHORIZATION, secret), (CONTENT_TYPE, json)]),
            body: Bytes::from_static(b"{}"),
        }
    }

    fn turned(method: Method, to: &str, status: u16) -> Question {
        let status = StatusCode::from_u16(status).unwrap();
        question(method).turned(Url::parse(to).unwrap(), status)
    }

    #[test]
    fn a_redirect_keeps_the_question_or_makes_it_a_get() {
        let table = [
            (Method::POST, 301, Method::GET, 0),
            (Method::POST, 302, Method::GET, 0),
            (Method::PUT, 302, Method::PUT, 2),
            (Method::PUT, 303, Method::GET, 0),
            (Method::POST, 307, Method::POST, 2),
            (Method::POST, 308, Method::POST, 2),
        ];
        for (method, status, then, bytes) in table {
            let next = turned(method, "https://one.example/b", status);
            assert_eq!((next.method, next.body.len()), (then, bytes), "{status}");
            assert_eq!(next.headers.contains_key(CONTENT_TYPE), bytes > 0);
        }
    }

    #[test]
    fn secrets_stay_with_the_server_that_they_are_for() {
        let same = turned(Method::GET, "https://one.example/b", 302);
        assert!(same.headers.contains_key(AUTHORIZATION));
        assert_eq!(same.headers[REFERER], "https://one.example/a?b");
        for elsewhere in [
            "https://two.example/",
            "https://one.example:444/",
            "http://one.example/",
        ] {
            let other = turned(Method::GET, elsewhere, 307);
            assert!(!other.headers.contains_key(AUTHORIZATION), "{elsewhere}");
        }
        let open = turned(Method::GET, "http://one.example/", 307);
        assert!(!open.headers.contains_key(REFERER));
    }

    #[test]
    fn a_request_names_host_and_port_and_no_user() {
        let table = [
            ("http://u:p@example.org/a?b=1#c", "example.org", "/a?b=1"),
            ("https://example.org:8443", "example.org:8443", "/"),
            ("http://[::1]:80/x", "[::1]", "/x"),
        ];
        for (url, host, path) in table {
            let asked = Question {
                url: Url::parse(url).unwrap(),
                ..question(Method::GET)
            };
            let to = asked.url.as_str().parse().unwrap();
            let request = written(&asked, &to).unwrap();
            assert_eq!(request.headers()[HOST], host);
            assert_eq!(request.uri().to_string(), path);
        }
    }
}
