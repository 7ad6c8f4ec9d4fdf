//! What is simulated: a document, who submits it when, the account, and what goes wrong.

use foreshard_engine::schedule::{Schedule, Wanted, timing};
use foreshard_fakes::build;
use foreshard_model::policy::RunOptions;
use foreshard_model::target::Pool;
use foreshard_model::units::{Mib, TimeMs};
use thiserror::Error;

use crate::account::Account;
use crate::trouble::Trouble;
use crate::worker::Reality;

/// What is simulated.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The workflow's document, gzipped or not.
    pub document: Vec<u8>,
    /// Folders of the bundles that it names; their content is not run.
    pub bundles: Vec<String>,
    /// What the run asks for.
    pub options: RunOptions,
    /// The targets.
    pub pool: Pool,
    /// The quotas.
    pub account: Account,
    /// Whether execute is deployed as a container image instead of a zip: it starts slower.
    pub image: bool,
    /// How often it is submitted at the same time; each is a run of its own.
    pub copies: u32,
    /// When it is submitted by a schedule instead.
    pub recurring: Option<Recurring>,
    /// What a cold start is worth in dollars, where the stage prewarm acts; where it is absent, nothing is warmed.
    pub prewarm: Option<f64>,
    /// Environments that are provisioned before the run, by memory tier.
    pub provisioned: Vec<(Mib, u32)>,
    /// The same seed gives the same run.
    pub seed: u64,
    /// What goes wrong with its targets.
    pub trouble: Trouble,
    /// Factor on what every task takes, over its estimate.
    pub slower: f64,
    /// Factor on what memory every task takes, over its estimate.
    pub larger: f64,
}

impl Scenario {
    /// A document in an account with default quotas, its estimates right.
    #[must_use]
    pub fn of(document: Vec<u8>, region: &str) -> Self {
        Self {
            document,
            bundles: Vec::new(),
            options: RunOptions::default(),
            pool: Pool::default_on_aws(region),
            account: Account::in_region(region),
            image: false,
            copies: 1,
            recurring: None,
            prewarm: None,
            provisioned: Vec::new(),
            seed: 0,
            trouble: Trouble::default(),
            slower: 1.0,
            larger: 1.0,
        }
    }

    /// How many runs there are.
    pub(crate) fn runs(&self) -> usize {
        let times = self.recurring.as_ref().map(|recurring| recurring.times);
        times.unwrap_or(self.copies).max(1) as usize
    }

    pub(crate) fn reality(&self) -> Reality {
        Reality {
            seed: self.seed,
            slower: self.slower,
            larger: self.larger,
        }
    }
}

/// A schedule of the workflow, from the first moment on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurring {
    /// `cron(…)`, `rate(…)` or `at(…)`, in UTC.
    pub expression: String,
    /// How many of its times there are.
    pub times: u32,
}

impl Recurring {
    /// Its times.
    ///
    /// # Errors
    /// [`Failed::Refused`] when it is no schedule, or has fewer times.
    pub(crate) fn times(&self) -> Result<Vec<TimeMs>, Failed> {
        let wanted = Wanted {
            expression: &self.expression,
            timezone: None,
            start: None,
            end: None,
        };
        let schedule = timing(&wanted, build::START).and_then(|timing| Schedule::of(&timing));
        let schedule = schedule.map_err(|troubles| {
            let why: Vec<&str> = troubles.iter().map(|one| one.message.as_str()).collect();
            Failed::Refused(format!("`{}`: {}", self.expression, why.join("; ")))
        })?;
        let times = schedule.upcoming(build::START, self.times as usize);
        if times.len() < self.times as usize {
            let few = format!("`{}` has {} time(s) to come", self.expression, times.len());
            return Err(Failed::Refused(few));
        }
        Ok(times)
    }
}

/// Why a simulation has no result.
#[derive(Debug, Error)]
pub enum Failed {
    /// The control plane refused the document.
    #[error("refused: {0}")]
    Refused(String),
    /// The function that accepts runs did not answer.
    #[error("the submission was not answered: {0}")]
    NotAnswered(String),
    /// Lambda does not provision what was asked for.
    #[error(
        "{1} environments of {0} cannot be provisioned: there is no such tier, or less than 100 of the quota would be left"
    )]
    NotProvisioned(Mib, u32),
    /// Nothing more happens, and the run has not ended.
    #[error("the run is stuck in state `{0}`")]
    Stuck(String),
}
