//! Who is let in: unsigned, wrongly signed and late requests are nobody's, and another account finds nothing of ours.

use foreshard_aws::client::{ApiClient, ApiError, RunFilter};
use foreshard_aws::sdk::Credentials;
use foreshard_local_emulator::record::REGION;
use foreshard_model::api::SubmitRequest;

use super::bad_input::{GOOD, HEAD};
use super::stack::{Deployment, deployment};

/// Another account. Its key is not its twelve digits: emulators take such a key for another AWS, without this deployment.
const STRANGER: &str = "111122223333";
/// What whoever knows the form of a signature and no secret can write.
const FORGED: &str = "AWS4-HMAC-SHA256 Credential=test/20261121/us-east-1/execute-api/aws4_request, \
                      SignedHeaders=host;x-amz-date, Signature=0000000000000000000000000000000000000000000000000000000000000000";
const STRANGERS_KEY: &str = "AKIA111122223333";

fn client(on: &Deployment, key: &str, secret: &str) -> ApiClient {
    let credentials = Credentials::new(key, secret, None, None, "test");
    ApiClient::new(on.api.base_url(), REGION, credentials).expect("the API has an address")
}

/// Status and code of a refusal.
fn refused<T: std::fmt::Debug>(answer: Result<T, ApiError>) -> String {
    match answer {
        Err(ApiError::Refused(problem)) => format!("{} {}", problem.status, problem.code),
        other => format!("{other:?}"),
    }
}

/// Sends every operation of the description that is served, unsigned and with a signature that is none.
async fn nobody_is_let_in(on: &Deployment) {
    let described = on.api.description().await.expect("it is served");
    let paths = described["paths"].as_object().expect("paths");
    let (http, mut sent) = (reqwest::Client::new(), 0);
    for (path, methods) in paths {
        let mut segments: Vec<&str> = path.split('/').collect();
        for segment in segments.iter_mut().filter(|s| s.starts_with('{')) {
            *segment = "x";
        }
        let url = format!("{}{}", on.api.base_url(), segments.join("/"));
        for method in methods.as_object().expect("methods").keys() {
            let method: reqwest::Method = method.to_uppercase().parse().expect("a method");
            let unsigned = http.request(method.clone(), &url);
            let forged = http
                .request(method.clone(), &url)
                .header("x-amz-date", "20261121T000000Z")
                .header("authorization", FORGED);
            for request in [unsigned, forged] {
                let answer = request.send().await.expect("it answers");
                assert_eq!(answer.status().as_u16(), 403, "{method} {path}");
                let text = answer.text().await.expect("a body");
                assert!(text.contains("FS3004"), "{method} {path}: {text}");
                sent += 1;
            }
        }
    }
    assert!(sent >= 50, "{sent} requests");
}

#[tokio::test]
async fn front_door() {
    let on = deployment().await;
    nobody_is_let_in(&on).await;
    let forger = client(&on, "test", "guess");
    let asked = forger.runs(&RunFilter::default(), 1, None).await;
    assert_eq!(refused(asked), "403 FS3004");
    let request = SubmitRequest {
        document: Some(format!("{HEAD}tasks:\n{GOOD}")),
        ..SubmitRequest::default()
    };
    assert_eq!(
        refused(forger.submit(&request, Some("forged")).await),
        "403 FS3004"
    );

    let ours = on.api.submit(&request, Some("front door")).await;
    let ours = ours.expect("it is accepted").run;
    let view = on.api.run(&ours).await.expect("it is ours");
    assert!(
        view.principal.starts_with("arn:aws:iam::"),
        "{}",
        view.principal
    );
    let stranger = client(&on, STRANGERS_KEY, "test");
    for answer in [
        refused(stranger.run(&ours).await),
        refused(stranger.cancel(&ours).await),
        refused(stranger.events(&ours, "").await),
        refused(stranger.plan(&ours).await),
        refused(stranger.logs(&ours, None, None).await),
    ] {
        assert_eq!(answer, "404 FS3005");
    }
    let theirs = stranger.submit(&request, Some("front door")).await;
    let theirs = theirs.expect("it is accepted").run;
    assert_ne!(theirs, ours, "a key is the account's own");
    let page = stranger.runs(&RunFilter::default(), 100, None).await;
    let page = page.expect("a page").runs;
    assert!(
        page.iter().all(|run| run.principal.contains(STRANGER)),
        "{page:?}"
    );
}
