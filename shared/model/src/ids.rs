//! Identities: newtypes, derived from content, never random.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::units::TimeMs;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The identity as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    };
}

text_id!(
    /// One execution of a workflow with one input: `r-` and 20 characters, see [`RunId::derive`].
    RunId
);
text_id!(
    /// A task within its workflow; tasks of sub-workflows are `sub/task`. At most 256 characters, no control characters.
    TaskId
);
text_id!(
    /// A place that can execute a shard, as Step Functions invokes it: `<function>:<alias>`.
    TargetId
);
text_id!(
    /// Who owns runs: the AWS account of the caller, or the name that a deployment maps it to.
    Tenant
);
text_id!(
    /// Lower-case hexadecimal SHA-256 of some bytes.
    Sha256Hex
);

impl RunId {
    /// The run of a tenant for an idempotency key: the same key twice gives the same run.
    #[must_use]
    pub fn derive(tenant: &Tenant, key: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(tenant.0.as_bytes());
        hash.update([0]);
        hash.update(key.as_bytes());
        let text = data_encoding::BASE32_NOPAD
            .encode(&hash.finalize()[..13])
            .to_lowercase();
        Self(format!("r-{}", &text[..20]))
    }

    /// The run of a scheduled time: whoever starts it, however often, it is this one.
    #[must_use]
    pub fn scheduled(tenant: &Tenant, schedule: &str, time: TimeMs) -> Self {
        Self::derive(tenant, &format!("schedule {schedule} {}", time.0))
    }

    /// Whether `text` has the form of a run's id. Anything else can be refused without a look-up.
    #[must_use]
    pub fn is_well_formed(text: &str) -> bool {
        text.strip_prefix("r-").is_some_and(|rest| {
            rest.len() == 20
                && rest
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b))
        })
    }
}

impl Sha256Hex {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(data_encoding::HEXLOWER.encode(&Sha256::digest(bytes)))
    }

    /// Whether the text is 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn is_well_formed(text: &str) -> bool {
        text.len() == 64
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    }
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

number_id!(
    /// A shard within its run; ids are never reused by a later generation.
    ShardId(u32)
);
number_id!(
    /// One Step Functions branch of a run.
    LaneId(u32)
);
number_id!(
    /// One execution of the state machine for a run, from 0.
    Round(u32)
);
number_id!(
    /// One execution of a shard, from 1; 0 before the first claim. It fences every write.
    Attempt(u32)
);
number_id!(
    /// One planning of a run, from 0.
    Generation(u32)
);
number_id!(
    /// How many answers a lane has had in its round; a repeated question has the same step.
    Step(u32)
);
number_id!(
    /// Position of a task in `Workflow::tasks`.
    TaskIndex(u32)
);

impl ShardId {
    /// The position of the shard in a dense table.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Generation {
    /// Whether it is the first planning of a run.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.0 == 0
    }

    /// The one that replaces it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl TaskIndex {
    /// The position of the task in a dense table.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_by_its_tenant_and_key() {
        let run = RunId::derive(&"acme".into(), "monday");
        assert_eq!(run, RunId::derive(&"acme".into(), "monday"));
        assert_ne!(run, RunId::derive(&"other".into(), "monday"));
        assert!(RunId::is_well_formed(run.as_str()), "{run}");
        assert!(!RunId::is_well_formed("r-UPPER"));
    }
}
