//! Of several deployments, the one that a run goes to: asked what they have and what they expect, decided by the engine.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_aws::client::{ApiClient, RunFilter};
use foreshard_engine::availability::{Deployment, DeploymentChoice, Submission, choose_deployment};
use foreshard_engine::parse::Parsed;
use foreshard_model::claim::Claim;
use foreshard_model::outlook::StoredOutlook;
use foreshard_model::target::Pool;
use foreshard_model::units::TimeMs;
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::args::{Arguments, RunArguments};
use crate::deployment;
use crate::exit::CliError;
use crate::render::{regions, say};
use crate::source::Source;

/// A deployment, and what it says of itself.
#[derive(Debug)]
pub struct Asked {
    /// Its API.
    pub client: ApiClient,
    /// Its targets.
    pub pool: Pool,
    /// What it expects; none before its first forecast.
    pub outlook: Option<StoredOutlook>,
    /// Whether it was named first, or is the only one: home.
    is_home: bool,
}

impl Asked {
    async fn of(client: ApiClient, is_home: bool) -> Result<Self, CliError> {
        let pool = client.pool().await?;
        let outlook = client.forecasts().await?.outlook;
        Ok(Self {
            client,
            pool,
            outlook,
            is_home,
        })
    }

    /// The region of its targets.
    #[must_use]
    pub fn region(&self) -> &str {
        let first = self.pool.targets.first();
        first.map_or("", |target| target.region.as_str())
    }
}

/// A run that is to be submitted or planned.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Its document.
    pub source: &'a Source,
    /// What it says.
    pub parsed: &'a Parsed,
    /// What is asked for.
    pub options: &'a RunArguments,
    /// The key that names it.
    pub key: Option<&'a str>,
}

/// Now, by this machine's clock.
#[must_use]
pub fn now() -> TimeMs {
    TimeMs(u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default())
}

/// The API of the deployment that a run is submitted to, as [`chosen`]; nothing is asked of the only one.
///
/// # Errors
/// As [`chosen`].
pub async fn client(arguments: &Arguments, wanted: Wanted<'_>) -> Result<ApiClient, CliError> {
    if arguments.api.len() < 2 {
        return deployment::client(arguments).await;
    }
    Ok(chosen(arguments, wanted).await?.client)
}

/// The only deployment, or of several the one in whose region the run is expected to be done first; says why.
///
/// # Errors
/// No deployment, none that answers, the document's problems where none can run it, two of one region.
pub async fn chosen(arguments: &Arguments, wanted: Wanted<'_>) -> Result<Asked, CliError> {
    if arguments.api.len() < 2 {
        return Asked::of(deployment::client(arguments).await?, true).await;
    }
    let mut asked = answering(&arguments.api, wanted.key.is_some()).await?;
    apart(&asked)?;
    let at = match known(&asked, wanted.key).await? {
        Some(at) => at,
        None => {
            let choice = decided(&asked, wanted)?;
            say(&regions::chosen(&choice));
            choice.at
        }
    };
    Ok(asked.swap_remove(at))
}

/// Those that answer, in their order; says who does not. All of them have to where the run has a key.
async fn answering(addresses: &[String], all: bool) -> Result<Vec<Asked>, CliError> {
    let ask = async |(at, address): (usize, &String)| {
        Asked::of(ApiClient::from_environment(address).await?, at == 0).await
    };
    let (mut asked, mut missing) = (Vec::new(), None);
    let answers = join_all(addresses.iter().enumerate().map(ask)).await;
    for (address, answer) in addresses.iter().zip(answers) {
        match answer {
            Ok(one) => asked.push(one),
            Err(error) => {
                say(&format!("note: {address} is left out: {error}"));
                missing = missing.or(Some(error));
            }
        }
    }
    match missing {
        Some(error) if all => {
            say("a run with a key may be at any of them, so all have to answer");
            Err(error)
        }
        Some(error) if asked.is_empty() => Err(error),
        _ => Ok(asked),
    }
}

/// Every region once: what else could be chosen by is not known.
fn apart(asked: &[Asked]) -> Result<(), CliError> {
    let mut seen = BTreeSet::new();
    match asked.iter().find(|one| !seen.insert(one.region())) {
        None => Ok(()),
        Some(twice) => Err(CliError::Argument(format!(
            "two of the deployments are in {}: one of a region is to be named",
            twice.region()
        ))),
    }
}

/// The one that has the run of this key already.
async fn known(asked: &[Asked], key: Option<&str>) -> Result<Option<usize>, CliError> {
    let Some(key) = key else { return Ok(None) };
    let filter = RunFilter {
        key: Some(key.to_owned()),
        ..RunFilter::default()
    };
    for (at, one) in asked.iter().enumerate() {
        if !one.client.runs(&filter, 1, None).await?.runs.is_empty() {
            say(&format!("{}: it has the run of this key", one.region()));
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// The engine's decision. Home is the first that was named, if it answers.
fn decided(asked: &[Asked], wanted: Wanted<'_>) -> Result<DeploymentChoice, CliError> {
    let home = asked.iter().find(|one| one.is_home).map(Asked::region);
    let data = wanted.options.data_region.as_deref();
    let bundles: BTreeMap<String, Claim> = wanted
        .parsed
        .bundles
        .iter()
        .map(|folder| (folder.clone(), Claim::default()))
        .collect();
    let submission = Submission {
        workflow: &wanted.parsed.workflow,
        options: &wanted.options.into(),
        bundles: &bundles,
        home: home.unwrap_or_default(),
        data: data.or(home),
    };
    let deployments: Vec<Deployment<'_>> = asked
        .iter()
        .map(|one| Deployment {
            region: one.region(),
            pool: &one.pool,
            outlook: one.outlook.as_ref(),
        })
        .collect();
    choose_deployment(&submission, &deployments, now()).map_err(|problems| CliError::Document {
        name: wanted.source.path.display().to_string(),
        text: String::new(),
        problems,
    })
}
