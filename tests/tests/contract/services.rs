//! Identities of tasks, users' functions, metrics.

use std::collections::BTreeMap;
use std::sync::Arc;

use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{PortError, Sample, TaskCredentials};
use serde_json::json;

use crate::adapters::Adapters;

pub async fn a_role_is_assumed_for_a_while(on: Arc<Adapters>) {
    let tags = BTreeMap::from([
        ("foreshard:run".to_owned(), "r-a".to_owned()),
        (
            "foreshard:workflow".to_owned(),
            "count (words)@1".to_owned(),
        ),
    ]);
    let own = on.identity.assume(None, "r-a-6-2", &tags).await.unwrap();
    assert!(!own.access_key_id.is_empty() && !own.session_token.is_empty());
    assert!(own.expires_at > TimeMs(0));
    let role = Some("arn:aws:iam::000000000000:role/other");
    let other = on.identity.assume(role, "r-a-7-1", &tags).await.unwrap();
    assert_ne!(own.secret_access_key, other.secret_access_key);
}

pub async fn an_unknown_function_is_not_found(on: Arc<Adapters>) {
    let identity = TaskCredentials {
        access_key_id: "test".to_owned(),
        secret_access_key: "test".to_owned(),
        session_token: "test".to_owned(),
        expires_at: TimeMs(u64::MAX),
    };
    let answer = on
        .calls
        .invoke("nobody-wrote-it", json!({}), &identity)
        .await;
    assert!(matches!(answer, Err(PortError::NotFound(_))), "{answer:?}");
}

pub async fn samples_are_published(on: Arc<Adapters>) {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let sample = Sample {
        name: "TaskMemory",
        unit: "Kilobytes",
        at: TimeMs(u64::try_from(now.as_millis()).unwrap()),
        values: (0..200).map(|n| (f64::from(n), 1.0)).collect(),
        dimensions: vec![
            ("TaskType", "count".to_owned()),
            ("Target", "512".to_owned()),
        ],
    };
    on.metrics.publish(&[sample]).await.unwrap();
    on.metrics.publish(&[]).await.unwrap();
}
