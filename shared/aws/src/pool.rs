//! The targets of the deployment as its environment names them: one function for each memory tier, behind the alias `live`.

use std::collections::BTreeMap;

use foreshard_model::ids::TargetId;
use foreshard_model::limits::{ACCOUNT_CONCURRENCY, CONCURRENCY_KEPT_FREE, LAMBDA_TIMEOUT_MS};
use foreshard_model::target::{Architecture, Pool, Target};
use foreshard_model::units::Mib;
use foreshard_stages::ports::Wiring;

/// The targets of one deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedPool {
    /// The region that they are in.
    pub region: String,
    /// Name of a function without its tier.
    pub prefix: String,
    /// Memory tiers, ascending.
    pub tiers: Vec<Mib>,
    /// Their architecture.
    pub architecture: Architecture,
    /// Most lanes of a run, where the deployment limits them.
    pub lanes_max: Option<u32>,
    /// Memory that all lanes share, where they share it.
    pub lane_memory: Option<Mib>,
}

impl DeployedPool {
    fn id(&self, tier: Mib) -> TargetId {
        TargetId(format!("{}{}:live", self.prefix, tier.0))
    }
}

impl Wiring for DeployedPool {
    fn pool(&self) -> Pool {
        Pool {
            targets: self
                .tiers
                .iter()
                .map(|&memory| Target {
                    id: self.id(memory),
                    region: self.region.clone(),
                    memory,
                    architecture: self.architecture,
                    limit_ms: LAMBDA_TIMEOUT_MS,
                    labels: BTreeMap::new(),
                    speed: 1.0,
                })
                .collect(),
            lanes_max: self
                .lanes_max
                .unwrap_or(ACCOUNT_CONCURRENCY - CONCURRENCY_KEPT_FREE),
            lane_memory: self.lane_memory,
            concurrency: ACCOUNT_CONCURRENCY,
            links: Vec::new(),
        }
    }

    fn target(&self, memory: Mib) -> Option<TargetId> {
        self.tiers.contains(&memory).then(|| self.id(memory))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployed(lanes_max: Option<u32>) -> DeployedPool {
        DeployedPool {
            region: "eu-west-1".into(),
            prefix: "foreshard-execute-".into(),
            tiers: vec![Mib(128), Mib(1769)],
            architecture: Architecture::X86_64,
            lanes_max,
            lane_memory: None,
        }
    }

    #[test]
    fn a_target_is_named_by_tier_and_alias() {
        let wiring = deployed(None);
        let expected: TargetId = "foreshard-execute-1769:live".into();
        assert_eq!(wiring.target(Mib(1769)), Some(expected.clone()));
        assert_eq!(wiring.target(Mib(1770)), None);
        assert_eq!(wiring.pool().of_tier(Mib(1769)).unwrap().id, expected);
    }

    #[test]
    fn lanes_leave_concurrency_to_the_account_unless_the_deployment_says_otherwise() {
        assert_eq!(deployed(None).pool().lanes_max, 900);
        assert_eq!(deployed(Some(4)).pool().lanes_max, 4);
    }
}
