//! Who asks: what the gateway has verified, held against the form that AWS gives it.

use super::http::{ApiRequest, Identity};
use super::refusal::{Code, Refusal};

/// Digits of an AWS account. Source: IAM, "Your AWS account ID".
const ACCOUNT_DIGITS: usize = 12;

/// Longest ARN. Source: IAM, "Identifiers": ARNs have at most 2,048 characters.
const PRINCIPAL_CHARS: usize = 2_048;

/// The caller. Account and principal end up in keys, tags and session names, and they say whose everything is: so their
/// form is checked although the gateway made them, and that they are of one account.
pub(super) fn identified(request: &ApiRequest) -> Result<&Identity, Refusal> {
    let refused = |detail: &str| Err(Refusal::new(Code::NoIdentity, detail));
    let Some(identity) = &request.identity else {
        return refused("the request carries no verified account and principal: sign it");
    };
    let account = identity.account.as_str();
    if account.len() != ACCOUNT_DIGITS || !account.bytes().all(|b| b.is_ascii_digit()) {
        return refused("the caller's account is not one of AWS");
    }
    if !is_principal_of(account, &identity.principal) {
        return refused("the caller's principal is not one of its account");
    }
    Ok(identity)
}

/// `arn:<partition>:iam|sts::<account>:<who>`: a user, the root, an assumed role, a federated user.
fn is_principal_of(account: &str, arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "iam" | "sts", "", of, who] = parts.as_slice() else {
        return false;
    };
    partition.starts_with("aws")
        && *of == account
        && !who.is_empty()
        && arn.len() <= PRINCIPAL_CHARS
        && arn.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(account: &str, principal: &str) -> bool {
        let request = ApiRequest {
            identity: Some(Identity {
                account: account.to_owned(),
                principal: principal.to_owned(),
            }),
            ..ApiRequest::default()
        };
        identified(&request).is_ok()
    }

    #[test]
    fn a_caller_is_a_principal_of_an_account() {
        let of = "123456789012";
        for who in [
            "arn:aws:iam::123456789012:user/ada",
            "arn:aws:iam::123456789012:root",
            "arn:aws-cn:sts::123456789012:assumed-role/etl/session@x",
            "arn:aws-us-gov:sts::123456789012:federated-user/bob",
        ] {
            assert!(check(of, who), "{who}");
        }
        for who in [
            "",
            "arn",
            "arn:aws:iam::210987654321:user/ada",
            "arn:aws:iam::123456789012:",
            "arn:aws:s3::123456789012:user/ada",
            "arn:gcp:iam::123456789012:user/ada",
            "arn:aws:iam:eu-west-1:123456789012:user/ada",
            "arn:aws:iam::123456789012:user/a\nb",
        ] {
            assert!(!check(of, who), "{who}");
        }
        let who = |account: &str| format!("arn:aws:iam::{account}:user/ada");
        for account in [
            "",
            "12345678901",
            "1234567890123",
            "12345678901x",
            "a/b",
            "../../etc/pw",
        ] {
            assert!(!check(account, &who(account)), "{account}");
        }
        assert!(!check(
            of,
            &format!("arn:aws:iam::{of}:user/{}", "x".repeat(2_048))
        ));
        assert!(identified(&ApiRequest::default()).is_err());
    }
}
