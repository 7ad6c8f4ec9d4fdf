//! The HTTP client of all SDK clients of a process: HTTP/1.1 over hyper and rustls, made for the first request.
//!
//! The SDK's own reads and parses the system's certificates once for every service client, before the function can ask for
//! its first event; it brings HTTP/2 too, which DynamoDB, S3 and Step Functions do not speak.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use hyper::Uri;
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{
    CaptureConnection, HttpConnector as Tcp, HttpInfo, capture_connection,
};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use tower_service::Service;

type BoxError = Box<dyn Error + Send + Sync>;

/// A client that is made for the first request, with the time limits of that request: all clients share one configuration.
#[derive(Debug, Clone)]
pub(crate) struct LateHttp {
    /// Only `http:` is asked: no certificates are needed, and none are read.
    plain: bool,
    made: Arc<OnceLock<SharedHttpConnector>>,
}

impl LateHttp {
    pub(crate) fn new(plain: bool) -> Self {
        Self {
            plain,
            made: Arc::new(OnceLock::new()),
        }
    }

    /// Whether there was a request.
    #[cfg(test)]
    pub(crate) fn is_made(&self) -> bool {
        self.made.get().is_some()
    }
}

impl HttpClient for LateHttp {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let make = || SharedHttpConnector::new(Connector::new(self.plain, settings));
        self.made.get_or_init(make).clone()
    }
}

/// Requests over pooled connections.
struct Connector {
    client: Client<Connect, SdkBody>,
    read_timeout: Option<Duration>,
}

impl Connector {
    fn new(plain: bool, settings: &HttpConnectorSettings) -> Self {
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        // A request may be two small writes: the second must not wait for the first to be acknowledged.
        tcp.set_nodelay(true);
        let connect = Connect {
            inner: HttpsConnectorBuilder::new()
                .with_tls_config(tls(plain))
                .https_or_http()
                .enable_http1()
                .wrap_connector(tcp),
            limit: settings.connect_timeout(),
        };
        Self {
            client: Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .build(connect),
            read_timeout: settings.read_timeout(),
        }
    }
}

/// The system's certificates, and what aws-lc offers.
fn tls(plain: bool) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("aws-lc offers what TLS 1.2 and 1.3 need");
    if plain {
        return builder
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
    }
    match builder.clone().with_native_roots() {
        Ok(builder) => builder.with_no_client_auth(),
        Err(error) => {
            tracing::error!(%error, "no certificate of this system can be read: no server will be trusted");
            builder
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth()
        }
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("read_timeout", &self.read_timeout)
            .finish_non_exhaustive()
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => {
                return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
            }
        };
        let used = capture_connection(&mut request);
        if let Some(wanted) = request.extensions().get::<CaptureSmithyConnection>() {
            wanted.set_connection_retriever(move || connection(&used));
        }
        let (sent, limit) = (self.client.request(request), self.read_timeout);
        HttpConnectorFuture::new(async move {
            let answer = in_time(limit, "read", sent).await.map_err(failed)?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// What the SDK may know of a connection, and how it has one taken out of the pool after a passing error.
fn connection(used: &CaptureConnection) -> Option<ConnectionMetadata> {
    let poisoned = used.clone();
    let metadata = used.connection_metadata();
    let mut extras = hyper::http::Extensions::new();
    metadata.as_ref()?.get_extras(&mut extras);
    let info = extras.get::<HttpInfo>();
    let mut builder = ConnectionMetadata::builder()
        .proxied(false)
        .poison_fn(move || {
            if let Some(connected) = poisoned.connection_metadata().as_ref() {
                connected.poison();
            }
        });
    builder
        .set_local_addr(info.map(HttpInfo::local_addr))
        .set_remote_addr(info.map(HttpInfo::remote_addr));
    Some(builder.build())
}

/// Connects, the TLS handshake included, within a limit.
#[derive(Clone)]
struct Connect {
    inner: HttpsConnector<Tcp>,
    limit: Option<Duration>,
}

impl Service<Uri> for Connect {
    type Response = <HttpsConnector<Tcp> as Service<Uri>>::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        Box::pin(in_time(self.limit, "connect", self.inner.call(to)))
    }
}

/// The server took longer than it may.
#[derive(Debug, thiserror::Error)]
#[error("{what}: no success within {} ms", .limit.as_millis())]
struct TooLate {
    what: &'static str,
    limit: Duration,
}

async fn in_time<T, E: Into<BoxError>>(
    limit: Option<Duration>,
    what: &'static str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, BoxError> {
    let done = match limit {
        None => work.await,
        Some(limit) => match tokio::time::timeout(limit, work).await {
            Ok(done) => done,
            Err(_) => return Err(TooLate { what, limit }.into()),
        },
    };
    done.map_err(Into::into)
}

/// What a failed request means to the SDK's retries.
fn failed(error: BoxError) -> ConnectorError {
    let whole: &(dyn Error + 'static) = error.as_ref();
    if among::<TooLate>(whole).is_some() {
        return ConnectorError::timeout(error);
    }
    if let Some(http) = among::<hyper::Error>(whole) {
        if http.is_timeout() {
            return ConnectorError::timeout(error);
        }
        if http.is_user() {
            return ConnectorError::user(error);
        }
        // The server closed a connection that it had kept open until then.
        if http.is_incomplete_message() {
            return ConnectorError::other(error, Some(ErrorKind::TransientError));
        }
        if http.is_closed() || http.is_canceled() || among::<std::io::Error>(http).is_some() {
            return ConnectorError::io(error);
        }
        return ConnectorError::other(error, None);
    }
    let unconnected = among::<legacy::Error>(whole).is_some_and(legacy::Error::is_connect);
    if unconnected || among::<std::io::Error>(whole).is_some() {
        return ConnectorError::io(error);
    }
    ConnectorError::other(error, None)
}

/// The first error of this type among an error and its sources.
fn among<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(error), |&e| e.source()).find_map(|e| e.downcast_ref())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// A server for one request: it says this and closes, or says nothing until its client has gone.
    fn serve(said: Option<&'static str>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 4096];
            let _head = stream.read(&mut head);
            match said {
                Some(text) => stream.write_all(text.as_bytes()).unwrap(),
                None => drop(stream.read(&mut head)),
            }
        });
        url
    }

    async fn ask(url: &str) -> Result<u16, ConnectorError> {
        let settings = HttpConnectorSettings::builder()
            .connect_timeout(Duration::from_secs(3))
            .read_timeout(Duration::from_millis(200))
            .build();
        let mut request = HttpRequest::empty();
        request.set_uri(url).unwrap();
        let answer = Connector::new(true, &settings).call(request).await?;
        Ok(answer.status().as_u16())
    }

    #[tokio::test(flavor = "current_thread")]
    async fn the_retries_of_the_sdk_are_told_what_became_of_a_request() {
        let answered = ask(&serve(Some("HTTP/1.1 204 No Content\r\n\r\n"))).await;
        assert_eq!(answered.unwrap(), 204);
        let silent = ask(&serve(None)).await.unwrap_err();
        assert!(silent.is_timeout(), "{silent:?}");
        let closed = ask(&serve(Some(""))).await.unwrap_err();
        assert_eq!(closed.as_other(), Some(ErrorKind::TransientError));
        let broken = ask(&serve(Some("HTTP/1.1 2"))).await.unwrap_err();
        assert_eq!(broken.as_other(), Some(ErrorKind::TransientError));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let nobody = ask(&format!("http://{}/", port.unwrap()))
            .await
            .unwrap_err();
        assert!(nobody.is_io(), "{nobody:?}");
    }
}
