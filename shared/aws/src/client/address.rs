//! The address of an API, and the region that requests to it are signed for.

/// The address proper, and the region that it names: before it, as `eu-west-1=https://batch.example.com`, or as API Gateway's
/// own names do, `https://<id>.execute-api.<region>.amazonaws.com/<stage>`.
pub(super) fn region_of(address: &str) -> (&str, Option<&str>) {
    let is_region = |text: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !text.is_empty() && text.chars().all(plain)
    };
    if let Some((region, rest)) = address.split_once('=')
        && is_region(region)
    {
        return (rest, Some(region));
    }
    let host = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = host.split(['/', ':', '?']).next().unwrap_or_default();
    let mut labels = host.split('.').skip(1);
    let region = (labels.next() == Some("execute-api"))
        .then(|| labels.next())
        .flatten()
        .filter(|_| labels.next() == Some("amazonaws"));
    (address, region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_named_before_the_address_or_in_it() {
        let mut table = String::new();
        for address in [
            "https://a1b2.execute-api.eu-west-1.amazonaws.com/live",
            "https://a1b2.execute-api.cn-north-1.amazonaws.com.cn",
            "https://a1b2.execute-api.evil.example.com/live",
            "us-east-1=https://batch.example.com",
            "us-east-1=https://a1b2.execute-api.eu-west-1.amazonaws.com",
            "https://batch.example.com/?a=b",
            "http://127.0.0.1:4566/x",
            "=",
            "",
        ] {
            table += &format!("{address}: {:?}\n", region_of(address));
        }
        insta::assert_snapshot!(table, @r#"
        https://a1b2.execute-api.eu-west-1.amazonaws.com/live: ("https://a1b2.execute-api.eu-west-1.amazonaws.com/live", Some("eu-west-1"))
        https://a1b2.execute-api.cn-north-1.amazonaws.com.cn: ("https://a1b2.execute-api.cn-north-1.amazonaws.com.cn", Some("cn-north-1"))
        https://a1b2.execute-api.evil.example.com/live: ("https://a1b2.execute-api.evil.example.com/live", None)
        us-east-1=https://batch.example.com: ("https://batch.example.com", Some("us-east-1"))
        us-east-1=https://a1b2.execute-api.eu-west-1.amazonaws.com: ("https://a1b2.execute-api.eu-west-1.amazonaws.com", Some("us-east-1"))
        https://batch.example.com/?a=b: ("https://batch.example.com/?a=b", None)
        http://127.0.0.1:4566/x: ("http://127.0.0.1:4566/x", None)
        =: ("=", None)
        : ("", None)
        "#);
    }
}
