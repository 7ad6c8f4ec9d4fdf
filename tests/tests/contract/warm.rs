//! Provisioned concurrency of aliases.

use std::sync::Arc;
use std::time::Duration;

use foreshard_model::prewarm::{WarmState, WarmStatus};
use foreshard_stages::ports::PortError;

use crate::adapters::Adapters;

/// Asks until it is heard: LocalStack refuses while what was asked before is under way.
async fn asked(on: &Adapters, environments: u32) {
    for _ in 0..60 {
        match on.warm.provision(&on.warm_target, environments).await {
            Err(PortError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(500)).await,
            answer => return answer.unwrap(),
        }
    }
    panic!("refused for half a minute");
}

pub async fn environments_are_asked_for_and_released_however_often(on: Arc<Adapters>) {
    let target = &on.warm_target;
    assert_eq!(on.warm.warm(target).await, Ok(WarmState::default()));
    for environments in [2, 2, 3] {
        asked(&on, environments).await;
        let state = on.warm.warm(target).await.unwrap();
        assert_eq!(state.provisioned, environments);
        assert_ne!(state.status, WarmStatus::None);
        assert!(state.since.is_some());
    }
    for _ in 0..2 {
        on.warm.release(target).await.unwrap();
        assert_eq!(on.warm.warm(target).await, Ok(WarmState::default()));
    }
}

pub async fn a_target_that_is_not_there_is_not_found(on: Arc<Adapters>) {
    let target = "nobody-wrote-it:live".into();
    let state = on.warm.warm(&target).await;
    assert!(matches!(state, Err(PortError::NotFound(_))), "{state:?}");
    let asked = on.warm.provision(&target, 1).await;
    assert!(matches!(asked, Err(PortError::NotFound(_))), "{asked:?}");
}

pub async fn none_cannot_be_asked_for(on: Arc<Adapters>) {
    let asked = on.warm.provision(&on.warm_target, 0).await;
    assert!(matches!(asked, Err(PortError::Refused(_))), "{asked:?}");
}

pub async fn what_the_account_has_is_told_or_nobody_tells_it(on: Arc<Adapters>) {
    match on.limits.unreserved().await {
        Ok(told) => assert_ne!(told, Some(0)),
        // An emulator may not have it: the stage then assumes what new accounts have.
        Err(error) => assert!(!matches!(error, PortError::Conflict(_)), "{error:?}"),
    }
}
