//! Deploys the synthesised CDK template to the emulator, with the tools that deploy it to AWS.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

use crate::error::EmulatorError;
use crate::home::Home;
use crate::machine::Machine;
use crate::progress::Progress;
use crate::record;
use crate::tools::Tools;
use crate::venv::run;

/// Stages whose functions are deployed.
pub const STAGES: [&str; 7] = [
    "submit",
    "plan",
    "dispatch",
    "execute",
    "aggregate",
    "reshard",
    "prewarm",
];

/// What to deploy.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Folder with `<stage>/bootstrap` of each function.
    pub artifacts: PathBuf,
    /// Most lanes of a run.
    pub lanes_max: u32,
    /// Memory that all lanes share, in MiB.
    pub lane_memory_mib: u32,
}

impl Deployment {
    /// What fits this machine.
    #[must_use]
    pub fn of(artifacts: PathBuf, machine: Machine) -> Self {
        Self {
            artifacts,
            lanes_max: machine.lanes_max(),
            lane_memory_mib: machine.lane_memory_mib(),
        }
    }

    fn context(&self, home: &Home) -> Vec<String> {
        let architecture = if cfg!(target_arch = "aarch64") {
            "arm64"
        } else {
            "x86_64"
        };
        let artifacts = self
            .artifacts
            .canonicalize()
            .unwrap_or_else(|_| home.root.join(&self.artifacts));
        [
            format!("architecture={architecture}"),
            format!("lanesMax={}", self.lanes_max),
            format!("laneMemoryMib={}", self.lane_memory_mib),
            format!("artifacts={}", artifacts.display()),
            "retain=false".to_owned(),
            "tracing=false".to_owned(),
        ]
        .into_iter()
        .flat_map(|pair| ["--context".to_owned(), pair])
        .collect()
    }

    /// Digest of everything that the deployment is made of: the app's sources, the functions, the context.
    ///
    /// # Errors
    /// [`EmulatorError::FunctionsMissing`] when a function is not built.
    pub fn digest(&self, home: &Home) -> Result<String, EmulatorError> {
        let mut hash = Sha256::new();
        for stage in STAGES {
            let path = self.artifacts.join(stage).join("bootstrap");
            let bytes =
                std::fs::read(&path).map_err(|_| EmulatorError::FunctionsMissing(path.clone()))?;
            hash.update(Sha256::digest(&bytes));
        }
        for folder in ["bin", "lib"] {
            for path in files_below(&home.infra().join(folder)) {
                hash.update(std::fs::read(&path).map_err(EmulatorError::io("cannot read", &path))?);
            }
        }
        for word in self.context(home) {
            hash.update(word.as_bytes());
        }
        Ok(data_encoding::HEXLOWER.encode(&hash.finalize()[..12]))
    }
}

/// Installs what the CDK app needs, unless it is there.
///
/// # Errors
/// [`EmulatorError::StepFailed`] when npm fails.
pub fn install(home: &Home, tools: &Tools, progress: &dyn Progress) -> Result<(), EmulatorError> {
    let infra = home.infra();
    let installed = infra.join("node_modules/.package-lock.json");
    if is_newer(&installed, &infra.join("package-lock.json")) {
        return Ok(());
    }
    progress.begin("infrastructure: installing the CDK");
    let words = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
    run(
        "npm ci",
        Command::new(&tools.npm).args(words).current_dir(&infra),
    )?;
    progress.end("ready");
    Ok(())
}

/// Synthesises the template and deploys it; gives the outputs of the stack.
///
/// # Errors
/// [`EmulatorError::StepFailed`] when the CDK fails.
pub fn deploy(
    home: &Home,
    tools: &Tools,
    deployment: &Deployment,
    endpoint: &str,
    progress: &dyn Progress,
) -> Result<BTreeMap<String, String>, EmulatorError> {
    let out = home.state.join("cdk.out");
    let _ = std::fs::remove_dir_all(&out);
    let cdk = |words: &[&str]| {
        let mut command = Command::new(&tools.node);
        command
            .arg("node_modules/aws-cdk/bin/cdk")
            .args(words)
            .current_dir(home.infra());
        command
            .envs(record::environment(endpoint))
            .env("CDK_DISABLE_VERSION_CHECK", "1")
            .env("CI", "true");
        command.args(["--no-notices", "--no-color"]);
        command
    };
    let (out_text, outputs) = (out.display().to_string(), home.state.join("outputs.json"));
    progress.begin("infrastructure: synthesising the template");
    run(
        "cdk synth",
        cdk(&["synth", "--quiet", "--output", &out_text]).args(deployment.context(home)),
    )?;
    progress.end("ready");
    progress.begin("infrastructure: deploying to the emulator");
    let account = format!("aws://000000000000/{}", record::REGION);
    run(
        "cdk bootstrap",
        &mut cdk(&["bootstrap", &account, "--app", &out_text]),
    )?;
    progress.note("creating the stack");
    let outputs_text = outputs.display().to_string();
    let words = [
        "deploy",
        "--all",
        "--app",
        &out_text,
        "--require-approval",
        "never",
        "--method",
        "direct",
    ];
    run(
        "cdk deploy",
        cdk(&words).args(["--outputs-file", &outputs_text]),
    )?;
    progress.end("deployed");
    read_outputs(&outputs)
}

fn read_outputs(path: &Path) -> Result<BTreeMap<String, String>, EmulatorError> {
    let text = std::fs::read_to_string(path).map_err(EmulatorError::io("cannot read", path))?;
    let stacks: BTreeMap<String, BTreeMap<String, String>> = serde_json::from_str(&text)
        .map_err(|e| std::io::Error::new(std::io::ErrorKind::InvalidData, e))
        .map_err(EmulatorError::io("cannot read", path))?;
    Ok(stacks.into_values().flatten().collect())
}

fn is_newer(path: &Path, than: &Path) -> bool {
    let modified = |p: &Path| std::fs::metadata(p).and_then(|m| m.modified()).ok();
    matches!((modified(path), modified(than)), (Some(a), Some(b)) if a >= b)
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
