//! The wiring of the functions: every environment variable that they read is read here, and all that is missing is said at once.

use std::env;

use foreshard_model::policy::StartRate;
use foreshard_model::target::Architecture;
use foreshard_model::units::Mib;
use thiserror::Error;

use crate::pool::DeployedPool;
use crate::proxy::LocalIdentity;
use crate::sdk::{Aws, Credentials};

/// The environment does not say what the function needs.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("environment: {}", problems.join("; "))]
pub struct ConfigError {
    /// One for each variable, in the order in which they are read.
    pub problems: Vec<String>,
}

/// Names of the table and the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The table.
    pub table: String,
    /// The bucket.
    pub bucket: String,
}

/// What submit needs.
#[derive(Debug, Clone)]
pub struct Submit {
    /// Region, endpoint, credentials.
    pub aws: Aws,
    /// Table and bucket.
    pub store: Store,
    /// ARN of the state machine.
    pub state_machine: String,
    /// The targets.
    pub pool: DeployedPool,
    /// ARN of the role that tasks assume by default.
    pub task_role: String,
    /// What wakes it for schedules.
    pub schedules: Schedules,
    /// How fast one tenant may start runs.
    pub start_rate: StartRate,
    /// Who calls where no authorizer says it: on the emulator only.
    pub local_identity: Option<LocalIdentity>,
}

/// What wakes submit for schedules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedules {
    /// EventBridge Scheduler; the rule of each minute only looks after what was lost.
    Scheduler(crate::scheduler::Wiring),
    /// The rule of each minute alone.
    Rules,
}

/// What plan and prewarm need.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Region, endpoint, credentials.
    pub aws: Aws,
    /// Table and bucket.
    pub store: Store,
    /// The targets.
    pub pool: DeployedPool,
}

/// What dispatch needs: the targets are in the plan.
#[derive(Debug, Clone)]
pub struct Dispatch {
    /// Region, endpoint, credentials.
    pub aws: Aws,
    /// Table and bucket.
    pub store: Store,
}

/// What execute needs.
#[derive(Debug, Clone)]
pub struct Execute {
    /// Region, endpoint, credentials.
    pub aws: Aws,
    /// Table and bucket.
    pub store: Store,
    /// ARN of the role that tasks assume by default.
    pub task_role: String,
    /// Whether samples are published.
    pub metrics: bool,
}

/// What aggregate and reshard need.
#[derive(Debug, Clone)]
pub struct Rounds {
    /// Region, endpoint, credentials.
    pub aws: Aws,
    /// Table and bucket.
    pub store: Store,
    /// ARN of the state machine.
    pub state_machine: String,
}

/// Reads what submit needs.
///
/// # Errors
/// [`ConfigError`] with every variable that is missing or wrong.
pub fn submit() -> Result<Submit, ConfigError> {
    Reader::of_process().read(|r| Submit {
        aws: r.aws(None),
        store: r.store(),
        state_machine: r.required("FORESHARD_STATE_MACHINE"),
        pool: r.pool(),
        task_role: r.required("FORESHARD_TASK_ROLE"),
        schedules: r.schedules(),
        start_rate: r.start_rate(),
        local_identity: r.local_identity(),
    })
}

/// Reads what plan and prewarm need.
///
/// # Errors
/// [`ConfigError`] with every variable that is missing or wrong.
pub fn plan() -> Result<Plan, ConfigError> {
    Reader::of_process().read(|r| Plan {
        aws: r.aws(None),
        store: r.store(),
        pool: r.pool(),
    })
}

/// Reads what dispatch needs.
///
/// # Errors
/// [`ConfigError`] with every variable that is missing or wrong.
pub fn dispatch() -> Result<Dispatch, ConfigError> {
    Reader::of_process().read(|r| Dispatch {
        aws: r.aws(None),
        store: r.store(),
    })
}

/// Reads what execute needs. `credentials` are the worker's own when they were taken out of the environment before.
///
/// # Errors
/// [`ConfigError`] with every variable that is missing or wrong.
pub fn execute(credentials: Option<Credentials>) -> Result<Execute, ConfigError> {
    Reader::of_process().read(|r| Execute {
        aws: r.aws(credentials),
        store: r.store(),
        task_role: r.required("FORESHARD_TASK_ROLE"),
        metrics: r.switch("FORESHARD_METRICS", true),
    })
}

/// Reads what aggregate and reshard need.
///
/// # Errors
/// [`ConfigError`] with every variable that is missing or wrong.
pub fn rounds() -> Result<Rounds, ConfigError> {
    Reader::of_process().read(|r| Rounds {
        aws: r.aws(None),
        store: r.store(),
        state_machine: r.required("FORESHARD_STATE_MACHINE"),
    })
}

/// One variable, for the worker's own settings.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// What to log: `RUST_LOG`, or `info`.
#[must_use]
pub fn log_filter() -> String {
    env::var("RUST_LOG").unwrap_or_else(|_| "info".to_owned())
}

/// How Lambda has begun this environment: `on-demand` or `provisioned-concurrency`. Source: Lambda, "Defined runtime environment
/// variables".
pub(crate) fn initialization() -> String {
    env::var("AWS_LAMBDA_INITIALIZATION_TYPE").unwrap_or_default()
}

/// The file that holds a test's fault switch.
#[cfg(feature = "faults")]
pub(crate) fn fault_file() -> Option<std::path::PathBuf> {
    env::var_os("FORESHARD_FAULT_FILE").map(Into::into)
}

/// Where variables come from: the process, or a test's table.
type LookUp<'a> = Box<dyn Fn(&str) -> Option<String> + 'a>;

/// Reads variables and collects what is wrong with them.
pub(crate) struct Reader<'a> {
    look_up: LookUp<'a>,
    problems: Vec<String>,
}

impl<'a> Reader<'a> {
    fn of_process() -> Self {
        Self::new(|name| env::var(name).ok())
    }

    pub(crate) fn new(look_up: impl Fn(&str) -> Option<String> + 'a) -> Self {
        Self {
            look_up: Box::new(look_up),
            problems: Vec::new(),
        }
    }

    pub(crate) fn read<T>(mut self, parse: impl FnOnce(&mut Self) -> T) -> Result<T, ConfigError> {
        let value = parse(&mut self);
        if self.problems.is_empty() {
            Ok(value)
        } else {
            Err(ConfigError {
                problems: self.problems,
            })
        }
    }

    fn optional(&self, name: &str) -> Option<String> {
        (self.look_up)(name).filter(|value| !value.is_empty())
    }

    fn required(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.problems.push(format!("`{name}` is missing"));
            String::new()
        })
    }

    fn number(&mut self, name: &str) -> Option<u32> {
        let text = self.optional(name)?;
        let number = text.trim().parse::<u32>().ok().filter(|n| *n > 0);
        if number.is_none() {
            self.problems.push(format!(
                "`{name}` is `{text}`, not a whole number above zero"
            ));
        }
        number
    }

    fn switch(&mut self, name: &str, default: bool) -> bool {
        match self.optional(name).as_deref() {
            None => default,
            Some("on") => true,
            Some("off") => false,
            Some(other) => {
                self.problems
                    .push(format!("`{name}` is `{other}`, not `on` or `off`"));
                default
            }
        }
    }

    fn aws(&mut self, credentials: Option<Credentials>) -> Aws {
        let region = self
            .optional("AWS_REGION")
            .or_else(|| self.optional("AWS_DEFAULT_REGION"))
            .unwrap_or_else(|| self.required("AWS_REGION"));
        let credentials = credentials.unwrap_or_else(|| {
            let key = self.required("AWS_ACCESS_KEY_ID");
            let secret = self.required("AWS_SECRET_ACCESS_KEY");
            let token = self.optional("AWS_SESSION_TOKEN");
            Credentials::new(key, secret, token, None, "environment")
        });
        Aws::new(region, self.optional("AWS_ENDPOINT_URL"), credentials)
    }

    fn store(&mut self) -> Store {
        Store {
            table: self.required("FORESHARD_TABLE"),
            bucket: self.required("FORESHARD_BUCKET"),
        }
    }

    fn pool(&mut self) -> DeployedPool {
        let prefix = self.required("FORESHARD_EXECUTE_PREFIX");
        let tiers = self.tiers("FORESHARD_EXECUTE_TIERS");
        let architecture = match self.required("FORESHARD_ARCHITECTURE").as_str() {
            "arm64" | "" => Architecture::Arm64,
            "x86_64" => Architecture::X86_64,
            other => {
                self.problems.push(format!(
                    "`FORESHARD_ARCHITECTURE` is `{other}`, not `arm64` or `x86_64`"
                ));
                Architecture::Arm64
            }
        };
        DeployedPool {
            region: self
                .optional("AWS_REGION")
                .or_else(|| self.optional("AWS_DEFAULT_REGION"))
                .unwrap_or_default(),
            prefix,
            tiers,
            architecture,
            lanes_max: self.number("FORESHARD_LANES_MAX"),
            lane_memory: self.number("FORESHARD_LANE_MEMORY_MIB").map(Mib),
        }
    }

    fn tiers(&mut self, name: &str) -> Vec<Mib> {
        let text = self.required(name);
        let parsed: Result<Vec<u32>, _> = text.split(',').map(|t| t.trim().parse()).collect();
        match parsed {
            Ok(mut tiers) if tiers.iter().all(|tier| *tier > 0) => {
                tiers.sort_unstable();
                tiers.dedup();
                tiers.into_iter().map(Mib).collect()
            }
            _ if text.is_empty() => Vec::new(),
            _ => {
                self.problems.push(format!(
                    "`{name}` is `{text}`, not a list of memory sizes in MiB such as `128,1769`"
                ));
                Vec::new()
            }
        }
    }

    fn schedules(&mut self) -> Schedules {
        match self.optional("FORESHARD_SCHEDULES").as_deref() {
            None | Some("scheduler") => Schedules::Scheduler(crate::scheduler::Wiring {
                group: self.required("FORESHARD_SCHEDULE_GROUP"),
                target: self.required("FORESHARD_SCHEDULE_TARGET"),
                role: self.required("FORESHARD_SCHEDULE_ROLE"),
                dead_letters: self.optional("FORESHARD_SCHEDULE_DEAD_LETTERS"),
            }),
            Some("rules") => Schedules::Rules,
            Some(other) => {
                self.problems.push(format!(
                    "`FORESHARD_SCHEDULES` is `{other}`, not `scheduler` or `rules`"
                ));
                Schedules::Rules
            }
        }
    }

    /// Each number is the default's where the deployment does not say it.
    fn start_rate(&mut self) -> StartRate {
        let default = StartRate::default();
        StartRate {
            burst: self
                .number("FORESHARD_STARTS_BURST")
                .unwrap_or(default.burst),
            per_minute: self
                .number("FORESHARD_STARTS_PER_MINUTE")
                .unwrap_or(default.per_minute),
        }
    }

    /// Who calls with a key that is no account: as the environment says, or as the place of AWS does.
    fn local_identity(&mut self) -> Option<LocalIdentity> {
        let name = "FORESHARD_LOCAL_IDENTITY";
        let Some(text) = self.optional(name) else {
            let endpoint = self.optional("AWS_ENDPOINT_URL")?;
            return LocalIdentity::at(&endpoint);
        };
        let identity = LocalIdentity::parse(&text);
        if identity.is_none() {
            self.problems.push(format!(
                "`{name}` is `{text}`, not `<account>|<principal ARN>`"
            ));
        }
        identity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &'static [(&str, &str)]) -> Reader<'static> {
        Reader::new(move |name| {
            pairs
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        })
    }

    fn submit_of(reader: Reader<'_>) -> Result<Submit, ConfigError> {
        reader.read(|r| Submit {
            aws: r.aws(None),
            store: r.store(),
            state_machine: r.required("FORESHARD_STATE_MACHINE"),
            pool: r.pool(),
            task_role: r.required("FORESHARD_TASK_ROLE"),
            schedules: r.schedules(),
            start_rate: r.start_rate(),
            local_identity: r.local_identity(),
        })
    }

    #[test]
    fn everything_missing_is_said_at_once() {
        let error = submit_of(from(&[("FORESHARD_TABLE", "t")])).unwrap_err();
        insta::assert_snapshot!(error.problems.join("\n"), @r"
        `AWS_REGION` is missing
        `AWS_ACCESS_KEY_ID` is missing
        `AWS_SECRET_ACCESS_KEY` is missing
        `FORESHARD_BUCKET` is missing
        `FORESHARD_STATE_MACHINE` is missing
        `FORESHARD_EXECUTE_PREFIX` is missing
        `FORESHARD_EXECUTE_TIERS` is missing
        `FORESHARD_ARCHITECTURE` is missing
        `FORESHARD_TASK_ROLE` is missing
        `FORESHARD_SCHEDULE_GROUP` is missing
        `FORESHARD_SCHEDULE_TARGET` is missing
        `FORESHARD_SCHEDULE_ROLE` is missing
        ");
    }

    #[test]
    fn what_is_wrong_is_said_with_the_value() {
        let error = from(&[
            ("FORESHARD_EXECUTE_PREFIX", "foreshard-execute-"),
            ("FORESHARD_EXECUTE_TIERS", "128,much"),
            ("FORESHARD_ARCHITECTURE", "riscv"),
            ("FORESHARD_LANES_MAX", "0"),
            ("FORESHARD_LOCAL_IDENTITY", "nobody"),
            ("FORESHARD_METRICS", "perhaps"),
            ("FORESHARD_SCHEDULES", "cron"),
        ])
        .read(|r| {
            (
                r.schedules(),
                r.pool(),
                r.local_identity(),
                r.switch("FORESHARD_METRICS", true),
            )
        })
        .unwrap_err();
        insta::assert_snapshot!(error.problems.join("\n"), @r"
        `FORESHARD_SCHEDULES` is `cron`, not `scheduler` or `rules`
        `FORESHARD_EXECUTE_TIERS` is `128,much`, not a list of memory sizes in MiB such as `128,1769`
        `FORESHARD_ARCHITECTURE` is `riscv`, not `arm64` or `x86_64`
        `FORESHARD_LANES_MAX` is `0`, not a whole number above zero
        `FORESHARD_LOCAL_IDENTITY` is `nobody`, not `<account>|<principal ARN>`
        `FORESHARD_METRICS` is `perhaps`, not `on` or `off`
        ");
    }

    #[test]
    fn shielded_credentials_need_none_in_the_environment() {
        let shielded = Credentials::new("AK", "secret", None, None, "shield");
        let aws = from(&[("AWS_REGION", "eu-west-1")])
            .read(|r| r.aws(Some(shielded)))
            .unwrap();
        assert_eq!(aws.credentials().access_key_id(), "AK");
        assert_eq!(aws.region(), "eu-west-1");
    }

    #[test]
    fn tiers_are_sorted_and_unique() {
        let tiers = from(&[("T", "512, 128,512")])
            .read(|r| r.tiers("T"))
            .unwrap();
        assert_eq!(tiers, [Mib(128), Mib(512)]);
    }
}
