//! Reads `cargo metadata` against the table of arrows: who may depend on whom.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// The crates of the workspace, and the crates of the workspace that each may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("engine", &["model"]),
    ("stages", &["model", "engine"]),
    ("aws", &["model", "stages"]),
    ("fakes", &["model", "engine", "stages"]),
    ("worker", &["model", "engine", "stages"]),
    ("submit", &["aws", "stages"]),
    ("plan", &["aws", "stages"]),
    ("dispatch", &["aws", "stages"]),
    ("execute", &["aws", "stages", "worker"]),
    ("aggregate", &["aws", "stages"]),
    ("reshard", &["aws", "stages"]),
    ("forecast", &["aws", "stages"]),
    ("prewarm", &["aws", "stages"]),
    ("local-emulator", &["model", "engine", "stages", "fakes"]),
    ("simulator", &["model", "engine", "stages", "fakes"]),
    ("bench", &["model", "engine"]),
    (
        "cli",
        &[
            "model",
            "engine",
            "stages",
            "aws",
            "local-emulator",
            "simulator",
            "bench",
        ],
    ),
    (
        "tests",
        &[
            "model",
            "engine",
            "stages",
            "aws",
            "fakes",
            "worker",
            "local-emulator",
            "simulator",
            "bench",
            "cli",
        ],
    ),
];

/// What a layer must never bring in, whatever it is called there.
const BANNED: &[(&str, &[&str])] = &[
    (
        "model",
        &[
            "tokio",
            "petgraph",
            "async-trait",
            "tracing",
            "aws-",
            "jiff",
            "chrono",
            "rand",
        ],
    ),
    (
        "engine",
        &[
            "tokio",
            "async-trait",
            "tracing",
            "log",
            "aws-",
            "chrono",
            "rand",
            "reqwest",
            "rustix",
        ],
    ),
    ("stages", &["aws-", "lambda_runtime", "reqwest", "petgraph"]),
    ("fakes", &["aws-", "lambda_runtime", "reqwest"]),
    (
        "simulator",
        &["tokio", "aws-", "lambda_runtime", "reqwest", "rand"],
    ),
    ("worker", &["aws-", "lambda_runtime", "petgraph"]),
];

/// The only crate that may use an AWS SDK.
const SDK_HOME: &str = "aws";

fn metadata() -> Metadata {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .exec()
        .expect("cargo metadata answers")
}

fn short(name: &str) -> Option<&str> {
    name.strip_prefix("foreshard-")
}

/// Dependencies that reach the product: everything but dev-dependencies.
fn shipped(package: &Package) -> BTreeSet<String> {
    let kept = package
        .dependencies
        .iter()
        .filter(|d| d.kind != DependencyKind::Development);
    kept.map(|d| d.name.clone()).collect()
}

#[test]
fn every_crate_is_in_the_table_and_only_points_where_it_may() {
    let table: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut faults = Vec::new();
    for package in metadata().workspace_packages() {
        let Some(name) = short(&package.name) else {
            faults.push(format!("`{}` is not named `foreshard-…`", package.name));
            continue;
        };
        let Some(allowed) = table.get(name) else {
            faults.push(format!("`{name}` is not in the table of arrows"));
            continue;
        };
        let uses: Vec<String> = if name == "tests" {
            package
                .dependencies
                .iter()
                .map(|d| d.name.clone())
                .collect()
        } else {
            shipped(package).into_iter().collect()
        };
        for used in uses.iter().filter_map(|d| short(d)) {
            if !allowed.contains(&used) {
                faults.push(format!("`{name}` must not depend on `{used}`"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_layer_brings_in_what_it_must_never_have() {
    let banned: BTreeMap<&str, &[&str]> = BANNED.iter().copied().collect();
    let mut faults = Vec::new();
    for package in metadata().workspace_packages() {
        let name = short(&package.name).unwrap_or(&package.name);
        for dependency in shipped(package) {
            let refused = banned.get(name).is_some_and(|list| {
                list.iter().any(|b| {
                    if b.ends_with('-') {
                        dependency.starts_with(b)
                    } else {
                        dependency == *b
                    }
                })
            });
            let sdk = dependency.starts_with("aws-sdk-") || dependency == "aws-config";
            if refused || (sdk && name != SDK_HOME) {
                faults.push(format!("`{name}` must not use `{dependency}`"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_function_is_a_main_and_nothing_else() {
    for package in metadata().workspace_packages() {
        if !package.manifest_path.as_str().contains("/functions/") {
            continue;
        }
        let name = short(&package.name).expect("named foreshard-…");
        let kinds: Vec<&str> = package.targets.iter().map(|t| t.name.as_str()).collect();
        assert_eq!(
            kinds,
            [name],
            "functions/{name} has one binary of its own name"
        );
        let main = std::fs::read_to_string(package.targets[0].src_path.as_std_path())
            .expect("main.rs is there");
        assert!(
            main.lines().count() <= 65,
            "functions/{name}/src/main.rs only wires: {} lines",
            main.lines().count()
        );
        assert!(!main.contains("aws_sdk_"), "functions/{name} calls no SDK");
        assert!(
            !main.contains("#[test]"),
            "functions/{name} has no tests: they are where the code is"
        );
    }
}

#[test]
fn the_purity_lints_are_there() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../");
    let engine = std::fs::read_to_string(format!("{root}shared/engine/clippy.toml"))
        .expect("engine has its own");
    let workspace =
        std::fs::read_to_string(format!("{root}clippy.toml")).expect("the workspace has one");
    for word in [
        "Instant::now",
        "SystemTime::now",
        // Calendars and zones are arithmetic; the clock and the machine's zone are not.
        "jiff::Timestamp::now",
        "jiff::Zoned::now",
        "jiff::tz::TimeZone::system",
        "env::var",
        "fs::read",
        "HashMap",
        "RandomState",
    ] {
        assert!(
            engine.contains(word),
            "shared/engine/clippy.toml bans `{word}`"
        );
    }
    let keys = |text: &str| -> BTreeSet<String> {
        text.lines()
            .filter_map(|l| l.split_once(" = "))
            .map(|(k, _)| k.trim().to_owned())
            .collect()
    };
    assert!(
        keys(&workspace).is_subset(&keys(&engine)),
        "the nearest clippy.toml wins and is not merged: repeat the keys"
    );
}
