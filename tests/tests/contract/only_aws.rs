//! What can only be seen where requests travel: presigned transfers, uploads in parts, metrics read back, large plans.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use foreshard_model::ids::{Sha256Hex, ShardId};
use foreshard_stages::ports::PortError;

use crate::Check;
use crate::adapters::Adapters;
use crate::emulator::Console;
use crate::items::{self, key};

/// Beside the contract.
pub fn contract() -> Vec<(&'static str, Check)> {
    checks![
        a_presigned_upload_and_download_carry_the_content,
        a_large_file_goes_in_parts,
        published_samples_are_there,
        page_tokens_of_elsewhere_are_refused,
        a_plan_of_two_thousand_shards_is_created_in_seconds,
    ]
}

async fn a_presigned_upload_and_download_carry_the_content(on: Arc<Adapters>) {
    let (key, content) = ("uploads/t/presigned", b"hello".to_vec());
    let digest = Sha256Hex::of(&content);
    let put = on.presigns.presign_put(key, &digest, 5, 60).await.unwrap();
    let http = reqwest::Client::new();
    let mut request = http.put(&put.url).body(content.clone());
    for (name, value) in put
        .headers
        .iter()
        .filter(|(name, _)| *name != "content-length")
    {
        request = request.header(name, value);
    }
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    assert_eq!(on.blobs.get(key).await, Ok(content.clone()));
    let url = on.presigns.presign_get(key, 60).await.unwrap();
    let seen = http.get(url).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(seen.to_vec(), content);
}

async fn a_large_file_goes_in_parts(on: Arc<Adapters>) {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    // 65 MiB: five parts, the last one short.
    let mut file = std::fs::File::create(&from).unwrap();
    for block in 0..65_u8 {
        file.write_all(&vec![block; 1024 * 1024]).unwrap();
    }
    drop(file);
    on.blob_writes.put_file("files/large", &from).await.unwrap();
    let (digest, bytes) = on.blobs.get_file("files/large", &to).await.unwrap();
    assert_eq!(bytes, 65 * 1024 * 1024);
    assert_eq!(digest, Sha256Hex::of(&std::fs::read(&from).unwrap()));
}

async fn published_samples_are_there(on: Arc<Adapters>) {
    crate::services::samples_are_published(Arc::clone(&on)).await;
    let endpoint = on.endpoint.clone().expect("the emulator's");
    let answer = reqwest::Client::new()
        .post(endpoint)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", Console::authorization("monitoring"))
        .body("Action=ListMetrics&Version=2010-08-01&Namespace=Foreshard&MetricName=TaskMemory")
        .send()
        .await
        .unwrap();
    let text = answer.text().await.unwrap();
    for seen in ["TaskMemory", "TaskType", "count"] {
        assert!(text.contains(seen), "{seen}: {text}");
    }
}

async fn page_tokens_of_elsewhere_are_refused(on: Arc<Adapters>) {
    let of = key("pages");
    for token in ["RUN", "ACTIVE", "..", "0000000000001#x"] {
        let shards = on.frontier.shards_of(&of, 0, Some(token)).await;
        assert!(
            matches!(shards, Err(PortError::Refused(_))),
            "{token}: {shards:?}"
        );
    }
}

async fn a_plan_of_two_thousand_shards_is_created_in_seconds(on: Arc<Adapters>) {
    let of = key("large plan");
    let new: Vec<_> = (0..2_000).map(|id| items::shard(&of, id)).collect();
    let begun = Instant::now();
    items::create(&on, &of, &new).await;
    let took = begun.elapsed();
    eprintln!("2,000 shards were created in {took:?}");
    assert!(took < Duration::from_secs(30), "{took:?}");
    let last = on.frontier.shard(&of, ShardId(1_999)).await.unwrap();
    assert_eq!(last.as_ref(), new.last());
}
