//! The ports on AWS, over an emulator that this process starts, or over the one that `FORESHARD_TEST_ENDPOINT` names.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use foreshard_aws::account::LambdaLimits;
use foreshard_aws::cloudwatch::CloudWatchMetrics;
use foreshard_aws::dynamodb::DynamoTable;
use foreshard_aws::lambda::LambdaCalls;
use foreshard_aws::s3::S3Bucket;
use foreshard_aws::scheduler::{RuleTimers, SchedulerTimers, Wiring};
use foreshard_aws::sdk::{Aws, Credentials};
use foreshard_aws::sfn::{StepFunctionsMachine, StepFunctionsTokens};
use foreshard_aws::sts::StsIdentity;
use foreshard_aws::warm::LambdaWarmPool;
use foreshard_local_emulator::host::{BareHost, start_bare};
use foreshard_local_emulator::progress::Silent;
use foreshard_local_emulator::record::{CREDENTIALS, REGION};
use foreshard_local_emulator::{Emulator as Which, Home};
use serde_json::{Value, json};

use crate::adapters::{Adapters, Parking};

/// Role that exists in no template: the emulator assumes any.
const TASK_ROLE: &str = "arn:aws:iam::000000000000:role/task";

/// A running emulator. One that this process started ends with it.
pub struct Emulator {
    endpoint: String,
    _host: Option<BareHost>,
    _state: Option<tempfile::TempDir>,
}

/// The emulator; `None`, and said so loudly, when there is none and none is required.
pub async fn start() -> Option<Emulator> {
    if let Ok(endpoint) = std::env::var("FORESHARD_TEST_ENDPOINT") {
        return Some(Emulator {
            endpoint,
            _host: None,
            _state: None,
        });
    }
    let started = tokio::task::spawn_blocking(|| {
        let state = tempfile::tempdir().map_err(|error| error.to_string())?;
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
        let home = Home::find(checkout, None).map_err(|error| error.to_string())?;
        let home = home.with_state(state.path().to_owned());
        let emulator = Which::of_environment().map_err(|error| error.to_string())?;
        let host = start_bare(&home, emulator, &Silent).map_err(|error| error.to_string())?;
        Ok::<_, String>((host, state))
    });
    match started.await.expect("the start does not panic") {
        Ok((host, state)) => Some(Emulator {
            endpoint: host.endpoint.clone(),
            _host: Some(host),
            _state: Some(state),
        }),
        Err(reason) => {
            let required = std::env::var("FORESHARD_SHARED").is_ok_and(|how| how == "required");
            assert!(!required, "no emulator: {reason}");
            eprintln!("SKIPPED: the ports on AWS were not tested, no emulator: {reason}");
            None
        }
    }
}

impl Emulator {
    /// Every port, over a table, a bucket and a state machine of this process.
    pub async fn adapters(&self) -> Adapters {
        let name = format!("contract-{}", std::process::id());
        let console = Console::new(&self.endpoint);
        console.create_table(&name).await;
        console.create_bucket(&name).await;
        let machine = console.create_machine(&name, &waiting()).await;
        let credentials = Credentials::new(CREDENTIALS.0, CREDENTIALS.1, None, None, "emulator");
        let aws = Aws::new(REGION, Some(self.endpoint.clone()), credentials);
        let table = Arc::new(DynamoTable::new(&aws, &name));
        let bucket = Arc::new(S3Bucket::new(&aws, &name));
        let machine = Arc::new(StepFunctionsMachine::new(&aws, machine));
        let metrics = Arc::new(CloudWatchMetrics::new(&aws));
        let warm_target = console.create_function(&name).await.into();
        Adapters {
            runs: table.clone(),
            run_writes: table.clone(),
            allowances: table.clone(),
            frontier: table.clone(),
            writes: table.clone(),
            attempts: table.clone(),
            pointers: table.clone(),
            ledger: table.clone(),
            ledger_writes: table.clone(),
            profiles: table.clone(),
            profile_writes: table.clone(),
            forecasts: table.clone(),
            forecast_writes: table.clone(),
            schedules: table.clone(),
            schedule_writes: table,
            timers: vec![
                Arc::new(SchedulerTimers::new(&aws, console.timers(&name).await)),
                Arc::new(RuleTimers),
            ],
            blobs: bucket.clone(),
            blob_lists: bucket.clone(),
            blob_writes: bucket.clone(),
            presigns: bucket,
            executions: machine.clone(),
            execution_reads: machine,
            tokens: Arc::new(StepFunctionsTokens::new(&aws)),
            identity: Arc::new(StsIdentity::new(&aws, TASK_ROLE)),
            calls: Arc::new(LambdaCalls::new(&aws)),
            metrics: metrics.clone(),
            limits: Arc::new(LambdaLimits::new(&aws)),
            warm: Arc::new(LambdaWarmPool::new(&aws)),
            warm_target,
            metric_reads: metrics,
            park: Box::new(move || Box::pin(console.clone().park(name.clone())) as Parking),
            endpoint: Some(self.endpoint.clone()),
        }
    }
}

/// A machine whose executions stay open.
fn waiting() -> Value {
    json!({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": true}}})
}

/// Makes on the emulator what a deployment would have made.
#[derive(Clone)]
pub struct Console {
    endpoint: String,
    http: reqwest::Client,
}

impl Console {
    pub fn new(endpoint: &str) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(60));
        Self {
            endpoint: endpoint.to_owned(),
            http: http.build().expect("a client"),
        }
    }

    /// The emulator looks at the name of the service in here, and at nothing else.
    pub fn authorization(service: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"
        )
    }

    async fn json(&self, service: &str, target: &str, body: &Value) -> Value {
        let answer = self
            .http
            .post(&self.endpoint)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", target)
            .header("authorization", Self::authorization(service))
            .body(body.to_string())
            .send()
            .await
            .expect("the emulator answers");
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        assert!(status.is_success(), "{target}: {status}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// A table as the template has it.
    async fn create_table(&self, name: &str) {
        let key = |sort: &str| json!([{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]);
        let index = |name: &str| json!({"IndexName": name, "KeySchema": key(name), "Projection": {"ProjectionType": "ALL"}});
        let text = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
        let (attributes, indexes) = (
            ["pk", "sk", "ready_rank", "live"].map(text),
            ["ready_rank", "live"].map(index),
        );
        let table = json!({
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": attributes,
            "KeySchema": key("sk"),
            "LocalSecondaryIndexes": indexes,
        });
        self.json("dynamodb", "DynamoDB_20120810.CreateTable", &table)
            .await;
    }

    async fn create_bucket(&self, name: &str) {
        let made = self
            .http
            .put(format!("{}/{name}", self.endpoint))
            .header("authorization", Self::authorization("s3"))
            .send()
            .await
            .expect("the emulator answers");
        assert!(made.status().is_success(), "{}", made.status());
    }

    /// A schedule group, and what its schedules would wake.
    async fn timers(&self, name: &str) -> Wiring {
        let made = self
            .http
            .post(format!("{}/schedule-groups/{name}", self.endpoint))
            .header("authorization", Self::authorization("scheduler"))
            .body("{}")
            .send()
            .await
            .expect("the emulator answers");
        assert!(made.status().is_success(), "{}", made.status());
        Wiring {
            group: name.to_owned(),
            target: format!("arn:aws:lambda:{REGION}:000000000000:function:{name}-submit"),
            role: "arn:aws:iam::000000000000:role/timers".to_owned(),
            dead_letters: None,
        }
    }

    /// A function with a version and the alias `live`, as a target.
    async fn create_function(&self, name: &str) -> String {
        let definition = json!({
            "FunctionName": name,
            "Runtime": "provided.al2023",
            "Handler": "bootstrap",
            "Role": "arn:aws:iam::000000000000:role/function",
            "Code": {"ZipFile": BASE64.encode(&stored_zip("bootstrap", b"#!/bin/sh\nexec sleep 600\n"))},
            "Publish": true,
        });
        self.rest("lambda", "2015-03-31/functions", &definition)
            .await;
        let alias = json!({"Name": "live", "FunctionVersion": "1"});
        let aliases = format!("2015-03-31/functions/{name}/aliases");
        self.rest("lambda", &aliases, &alias).await;
        format!("{name}:live")
    }

    async fn rest(&self, service: &str, path: &str, body: &Value) {
        let answer = self
            .http
            .post(format!("{}/{path}", self.endpoint))
            .header("content-type", "application/json")
            .header("authorization", Self::authorization(service))
            .body(body.to_string())
            .send()
            .await
            .expect("the emulator answers");
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        assert!(status.is_success(), "{path}: {status}: {text}");
    }

    async fn create_machine(&self, name: &str, definition: &Value) -> String {
        let machine = json!({
            "name": name,
            "definition": definition.to_string(),
            "roleArn": "arn:aws:iam::000000000000:role/machine",
        });
        let made = self
            .json("states", "AWSStepFunctions.CreateStateMachine", &machine)
            .await;
        text(&made, "stateMachineArn")
    }

    /// A task token that an execution waits for: that of an activity.
    async fn park(self, name: String) -> String {
        let activity = json!({"name": format!("{name}-activity")});
        let made = self
            .json("states", "AWSStepFunctions.CreateActivity", &activity)
            .await;
        let activity = text(&made, "activityArn");
        let definition = json!({
            "StartAt": "Park",
            "States": {"Park": {"Type": "Task", "Resource": activity, "TimeoutSeconds": 600, "End": true}}
        });
        let machine = self
            .create_machine(&format!("{name}-park"), &definition)
            .await;
        let start = json!({"stateMachineArn": machine, "input": "{}"});
        self.json("states", "AWSStepFunctions.StartExecution", &start)
            .await;
        let poll = json!({"activityArn": activity, "workerName": "contract"});
        let task = self
            .json("states", "AWSStepFunctions.GetActivityTask", &poll)
            .await;
        text(&task, "taskToken")
    }
}

/// A zip archive with one executable file that is not compressed. Source: PKWARE's APPNOTE, 4.3.
fn stored_zip(name: &str, content: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(content);
    let mut sizes = crc.sum().to_le_bytes().to_vec();
    let length = u32::try_from(content.len()).expect("a small file");
    sizes.extend(length.to_le_bytes());
    sizes.extend(length.to_le_bytes());
    sizes.extend(
        u16::try_from(name.len())
            .expect("a short name")
            .to_le_bytes(),
    );
    // Version 2.0, no flags, stored, no time.
    let common = [&[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..], &sizes].concat();
    let local = [
        b"PK\x03\x04",
        &common[..],
        &[0, 0],
        name.as_bytes(),
        content,
    ]
    .concat();
    // Made on Unix; no extra, comment, disk or internal attributes; mode 0755 of a regular file; at offset 0.
    let mode = (0o100_755_u32 << 16).to_le_bytes();
    let central = [
        b"PK\x01\x02",
        &[20, 3][..],
        &common,
        &[0; 8],
        &mode,
        &[0; 4],
        name.as_bytes(),
    ]
    .concat();
    let end = [
        &b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..],
        &u32::try_from(central.len()).expect("small").to_le_bytes(),
        &u32::try_from(local.len()).expect("small").to_le_bytes(),
        &[0, 0],
    ]
    .concat();
    [local, central, end].concat()
}

fn text(value: &Value, member: &str) -> String {
    value[member]
        .as_str()
        .unwrap_or_else(|| panic!("no {member} in {value}"))
        .to_owned()
}
