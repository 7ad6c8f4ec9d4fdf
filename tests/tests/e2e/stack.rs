//! Brings up one emulator for all tests of this process, and sees to it that it goes when the process goes.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use foreshard_aws::client::ApiClient;
use foreshard_aws::dynamodb::DynamoTable;
use foreshard_aws::s3::S3Bucket;
use foreshard_aws::sdk::{Aws, Credentials};
use foreshard_aws::warm::LambdaWarmPool;
use foreshard_local_emulator::record::{CREDENTIALS, REGION};
use foreshard_local_emulator::{Emulator, Home, Progress, Record, UpOptions, down, up};
use tokio::sync::MutexGuard;

use super::cloud::Cloud;

/// Keeps the emulator after the tests, and takes one that runs: for whoever works on a single test.
const KEEP: &str = "FORESHARD_E2E_KEEP";

static STACK: OnceLock<Result<Stack, String>> = OnceLock::new();
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
/// Ends the emulator when this process is gone, however it went: it waits for the end of its standard input.
static UNDERTAKER: Mutex<Option<Child>> = Mutex::new(None);

/// The emulator with the control plane deployed.
pub struct Stack {
    pub home: Home,
    pub record: Record,
    /// The dispatch that is deployed has its fault switch.
    pub switched: bool,
}

/// A deployment for one test, with clients of its own. No other test runs while it lives.
pub struct Deployment {
    pub stack: &'static Stack,
    pub api: ApiClient,
    pub table: DynamoTable,
    pub bucket: S3Bucket,
    pub warm: LambdaWarmPool,
    pub cloud: Cloud,
    /// ARN of the state machine.
    pub machine: String,
    _turn: MutexGuard<'static, ()>,
}

/// Waits for this test's turn; the first one brings the emulator up.
pub async fn deployment() -> Deployment {
    let turn = TURN.lock().await;
    let stack = match STACK.get_or_init(bring_up) {
        Ok(stack) => stack,
        Err(reason) => panic!("the emulator is not up: {reason}"),
    };
    let credentials = Credentials::new(CREDENTIALS.0, CREDENTIALS.1, None, None, "emulator");
    let aws = Aws::new(
        REGION,
        Some(stack.record.endpoint.clone()),
        credentials.clone(),
    );
    let api = stack.record.api.as_deref().expect("the stack has an API");
    Deployment {
        api: ApiClient::new(api, REGION, credentials).expect("the API has an address"),
        table: DynamoTable::new(&aws, stack.output("TableName")),
        bucket: S3Bucket::new(&aws, stack.output("BucketName")),
        warm: LambdaWarmPool::new(&aws),
        cloud: Cloud::new(&stack.record.endpoint),
        machine: stack.output("StateMachineArn"),
        stack,
        _turn: turn,
    }
}

impl Stack {
    /// An output of the stack.
    pub fn output(&self, name: &str) -> String {
        let found = self
            .record
            .outputs
            .iter()
            .find(|(key, _)| key.ends_with(name));
        found
            .unwrap_or_else(|| panic!("the stack has no output `{name}`"))
            .1
            .clone()
    }

    /// Name of the function of a stage.
    pub fn function(&self, stage: &str) -> String {
        format!("{}-{stage}", self.output("Prefix"))
    }

    /// The checkout.
    pub fn root(&self) -> &Path {
        &self.home.root
    }
}

/// Whether everything is to be shown at full length.
pub fn is_full() -> bool {
    std::env::var("FORESHARD_E2E").is_ok_and(|how| how == "full")
}

fn bring_up() -> Result<Stack, String> {
    let home =
        Home::find(Path::new(env!("CARGO_MANIFEST_DIR")), None).map_err(|e| e.to_string())?;
    let emulator = Emulator::of_environment().map_err(|e| e.to_string())?;
    let home = home.with_state(home.root.join(match emulator {
        Emulator::Ministack => "target/e2e",
        Emulator::Localstack => "target/e2e-localstack",
    }));
    let keep = std::env::var_os(KEEP).is_some();
    if !keep {
        // An interrupted run may have left functions that a test had changed.
        down(&home).map_err(|e| e.to_string())?;
        bury_later(&home);
    }
    let switched = home
        .root
        .join("target/lambda-faulty/dispatch/bootstrap")
        .is_file();
    let artifacts = switched.then(|| home.root.join("target/lambda-faulty"));
    let options = UpOptions {
        emulator,
        artifacts,
        ..UpOptions::default()
    };
    let record = up(&home, &options, &Lines).map_err(|e| e.to_string())?;
    Ok(Stack {
        home,
        record,
        switched,
    })
}

fn bury_later(home: &Home) {
    let script = format!(
        "cat > /dev/null; exec {} --state {} down",
        quoted(&super::command_line::program()),
        quoted(&home.state)
    );
    let child = Command::new("sh")
        .args(["-c", &script])
        .current_dir(&home.root)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    *UNDERTAKER.lock().unwrap_or_else(PoisonError::into_inner) = child.ok();
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// The folder of recorded workflows beside the checkout; `None`, and a line that says so, where they are not required.
pub fn recorded_folder(root: &Path, test: &str) -> Option<PathBuf> {
    let folder = root.join("../shared/data/workflows");
    let required = std::env::var("FORESHARD_SHARED").is_ok_and(|how| how == "required");
    match (required, folder.is_dir()) {
        (_, true) => Some(folder),
        (true, false) => panic!("`{}` is required and missing", folder.display()),
        (false, false) => {
            println!("SKIPPED: {test}: there is no `{}`", folder.display());
            None
        }
    }
}

/// Prints the steps of bringing the emulator up.
struct Lines;

impl Progress for Lines {
    fn begin(&self, step: &str) {
        println!("… {step}");
    }

    fn note(&self, text: &str) {
        println!("    {text}");
    }

    fn end(&self, outcome: &str) {
        println!("    {outcome}");
    }
}
