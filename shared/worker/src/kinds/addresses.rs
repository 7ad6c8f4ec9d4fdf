//! Which addresses an `http` task may reach: never those that hand out the worker's credentials or its invocations.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;
use url::Url;

/// Metadata of EC2 instances over IPv6. Source: EC2 documentation, "Instance metadata".
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Addresses that embed an IPv4 address for translation (RFC 6052).
const NAT64: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];

/// What is refused beside link-local and metadata addresses: the runtime API, which gives out invocations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fence {
    runtime_port: Option<u16>,
}

impl Fence {
    /// `runtime_api` is `host:port` of the Lambda runtime API; it is always on the loopback interface or link-local.
    pub(super) fn new(runtime_api: Option<&str>) -> Self {
        let port = runtime_api.and_then(|api| api.rsplit_once(':')?.1.parse().ok());
        Self { runtime_port: port }
    }

    /// Checks what can be known without a look-up: the scheme, and an address that stands in the URL itself.
    ///
    /// # Errors
    /// Why the URL is refused.
    pub(super) fn check(&self, url: &Url) -> Result<(), String> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!(
                "scheme `{}` is neither http nor https",
                url.scheme()
            ));
        }
        let host = url.host_str().unwrap_or_default();
        let literal = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>();
        match literal {
            Ok(address) if !self.resolver(url.port_or_known_default()).allows(address) => {
                Err(format!("address `{host}` is refused"))
            }
            _ => Ok(()),
        }
    }

    /// The resolver for requests to this port.
    pub(super) fn resolver(&self, port: Option<u16>) -> FencedResolver {
        FencedResolver {
            loopback: !self.is_strict(port),
        }
    }

    /// Whether requests to this port may not go to the loopback interface.
    pub(super) fn is_strict(&self, port: Option<u16>) -> bool {
        port.is_some() && port == self.runtime_port
    }
}

/// The IPv4 address inside of an IPv6 address that only carries it.
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return IpAddr::V4(v4);
    }
    if v6.segments()[..6] == NAT64 {
        let [.., a, b, c, d] = v6.octets();
        return IpAddr::from([a, b, c, d]);
    }
    address
}

fn is_refused(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast() || v4.is_multicast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.is_multicast() || v6 == METADATA_V6,
    }
}

/// Looks names up, and leaves out what is refused: a name cannot lead where an address may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FencedResolver {
    loopback: bool,
}

impl Service<Name> for FencedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let fence = self.clone();
        Box::pin(async move {
            let looking = tokio::task::spawn_blocking(move || {
                let found = (name.as_str(), 0).to_socket_addrs()?;
                let allowed = found.filter(|address| fence.allows(address.ip()));
                Ok::<Vec<SocketAddr>, io::Error>(allowed.collect())
            });
            let allowed = looking.await??;
            if allowed.is_empty() {
                let refused = "every address of this name is refused";
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, refused));
            }
            Ok(allowed.into_iter())
        })
    }
}

impl FencedResolver {
    fn allows(&self, address: IpAddr) -> bool {
        let address = plain(address);
        let local = address.is_loopback() || address.is_unspecified();
        !is_refused(address) && (self.loopback || !local)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_and_the_runtime_api_are_out_of_reach_in_every_spelling() {
        let fence = Fence::new(Some("127.0.0.1:9001"));
        let refused = [
            "http://169.254.169.254/latest/meta-data",
            "http://2852039166/",
            "http://0xa9fea9fe/",
            "http://[::ffff:169.254.169.254]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/",
            "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
            "http://127.1:9001/",
            "http://0.0.0.0:9001/",
            "http://[::1]:9001/",
            "file:///etc/passwd",
        ];
        for url in refused {
            assert!(fence.check(&Url::parse(url).unwrap()).is_err(), "{url}");
        }
        for url in [
            "http://127.0.0.1:8080/",
            "https://example.org/",
            "http://10.0.0.1:9001/",
        ] {
            assert_eq!(fence.check(&Url::parse(url).unwrap()), Ok(()), "{url}");
        }
    }

    #[test]
    fn names_of_the_loopback_are_refused_for_the_port_of_the_runtime_api_only() {
        let fence = Fence::new(Some("127.0.0.1:9001"));
        let local = IpAddr::from([127, 0, 0, 1]);
        assert!(!fence.resolver(Some(9001)).allows(local));
        assert!(fence.resolver(Some(80)).allows(local));
        assert!(
            !fence
                .resolver(Some(80))
                .allows(IpAddr::from([169, 254, 169, 254]))
        );
        assert!(Fence::new(None).resolver(Some(9001)).allows(local));
    }
}
