//! Who submits: a document as it is, once or several times at once, or by a schedule of it.

use std::rc::Rc;

use foreshard_engine::schedule::rfc3339;
use foreshard_model::api::{RegisterRequest, SubmitRequest, WorkflowEntry};
use foreshard_model::ids::Sha256Hex;
use foreshard_model::prewarm::{ColdStartWorth, PrewarmMode, PrewarmPolicy};
use foreshard_model::schedule::ScheduleKey;
use foreshard_model::schedule_api::ScheduleRequest;
use foreshard_stages::submit::{self, ApiRequest, ApiResponse, Identity};

use crate::cloud::Cloud;
use crate::machine::{Machine, SUBMIT};
use crate::parameters::STAGE_CPU_MS;
use crate::scenario::{Failed, Scenario};

/// Who submits: any account will do.
const TENANT: &str = "123456789012";
/// The schedule.
const SCHEDULE: &str = "simulated";
/// Where the policy of pre-warming is kept. Source: the stage prewarm.
const POLICY: &str = "policies/prewarm.json";
/// How often a request is made that was not answered, and the longest wait before the second, in milliseconds; each further wait is
/// twice as long.
const TRIES: u32 = 10;
/// See [`TRIES`].
const WAIT_MS: u64 = 1_000;

/// From the last time of a schedule to its end, in milliseconds: less than its shortest period, a minute.
const END_AFTER_MS: u64 = 30_000;

/// What is asked of the API.
pub(crate) enum Requests {
    /// Runs, at once.
    Runs(Vec<ApiRequest>),
    /// The document is registered, then a schedule is made of it.
    Schedule {
        register: ApiRequest,
        /// But for the workflow's name and version, which the registration tells.
        schedule: Box<ScheduleRequest>,
    },
}

/// Puts a policy that lets prewarm act, where a cold start is worth something.
pub(crate) fn policy(scenario: &Scenario, cloud: &Cloud) {
    if let Some(each) = scenario.prewarm {
        let policy = PrewarmPolicy {
            mode: PrewarmMode::Act,
            worth: ColdStartWorth::Usd { each },
            ..PrewarmPolicy::default()
        };
        let json = serde_json::to_vec(&policy).unwrap_or_default();
        cloud.world.put_blob(POLICY, json);
    }
}

impl Requests {
    /// The requests of a scenario, its document and bundles uploaded.
    ///
    /// # Errors
    /// When its schedule is none.
    pub(crate) fn of(scenario: &Scenario, cloud: &Cloud) -> Result<Self, Failed> {
        let digest = Sha256Hex::of(&scenario.document);
        let key = format!("uploads/{TENANT}/{digest}");
        cloud.world.put_blob(&key, scenario.document.clone());
        let bundle = Sha256Hex::of(b"bundle");
        if !scenario.bundles.is_empty() {
            let key = format!("bundles/{TENANT}/{bundle}");
            cloud.world.put_blob(&key, b"bundle".to_vec());
        }
        let bundles = scenario.bundles.iter();
        let bundles = bundles.map(|folder| (folder.clone(), bundle.clone()));
        let wanted = SubmitRequest {
            upload: Some(digest.to_string()),
            options: scenario.options.clone(),
            bundles: bundles.collect(),
            ..SubmitRequest::default()
        };
        let Some(recurring) = &scenario.recurring else {
            let run = |copy| ApiRequest {
                headers: [("idempotency-key".to_owned(), format!("simulated-{copy}"))].into(),
                ..request("POST", "/runs".to_owned(), &wanted)
            };
            return Ok(Self::Runs((0..scenario.copies.max(1)).map(run).collect()));
        };
        let last = recurring.times()?.pop();
        let register = RegisterRequest {
            upload: wanted.upload,
            bundles: wanted.bundles.clone(),
            ..RegisterRequest::default()
        };
        Ok(Self::Schedule {
            register: request("PUT", "/workflows".to_owned(), &register),
            schedule: Box::new(ScheduleRequest {
                expression: recurring.expression.clone(),
                // A rate is counted from when the schedule is made, which is a moment after the beginning.
                end: last.map(|last| rfc3339(last.plus(END_AFTER_MS))),
                options: wanted.options,
                bundles: wanted.bundles,
                ..ScheduleRequest::default()
            }),
        })
    }
}

fn request(method: &str, path: String, body: &impl serde::Serialize) -> ApiRequest {
    ApiRequest {
        method: method.to_owned(),
        path,
        body: serde_json::to_vec(body).unwrap_or_default(),
        identity: Some(Identity {
            account: TENANT.to_owned(),
            principal: format!("arn:aws:iam::{TENANT}:user/simulated"),
        }),
        request_id: "simulated".to_owned(),
        ..ApiRequest::default()
    }
}

/// Submits; a schedule's timer runs from then on.
///
/// # Errors
/// What was refused, or not answered.
pub(crate) async fn submitted(machine: Rc<Machine>, requests: Requests) -> Result<(), Failed> {
    let (register, mut schedule) = match requests {
        Requests::Runs(runs) => {
            for run in &runs {
                answered(&machine, run).await?;
            }
            return Ok(());
        }
        Requests::Schedule { register, schedule } => (register, schedule),
    };
    let registered = answered(&machine, &register).await?;
    let entry: WorkflowEntry = serde_json::from_slice(&registered.body)
        .map_err(|error| Failed::NotAnswered(error.to_string()))?;
    (schedule.workflow, schedule.version) = (entry.name, entry.version);
    let path = format!("/schedules/{SCHEDULE}");
    answered(&machine, &request("PUT", path, &schedule)).await?;
    let key = ScheduleKey {
        tenant: TENANT.into(),
        name: SCHEDULE.to_owned(),
    };
    drop(machine.spawner.spawn(Rc::clone(&machine).timer(key)));
    Ok(())
}

/// A request with its repeats, as the command line makes them.
async fn answered(machine: &Machine, request: &ApiRequest) -> Result<ApiResponse, Failed> {
    let (cloud, ports) = (&machine.cloud, &machine.submit);
    let mut why = String::new();
    for attempt in 0..TRIES {
        let invoked = cloud.invoke(SUBMIT, |_| async move {
            cloud.computes(STAGE_CPU_MS, SUBMIT).await;
            Ok(submit::answer(ports, request).await)
        });
        match invoked.await {
            Ok(answer) if answer.status < 300 => return Ok(answer),
            Ok(answer) if answer.status < 500 => {
                let body = String::from_utf8_lossy(&answer.body).into_owned();
                return Err(Failed::Refused(body));
            }
            Ok(answer) => why = String::from_utf8_lossy(&answer.body).into_owned(),
            Err(unanswered) => why = unanswered.caught().error,
        }
        let wait_ms = cloud.jittered(WAIT_MS << attempt);
        cloud.timeline.sleep(wait_ms).await;
    }
    Err(Failed::NotAnswered(why))
}
