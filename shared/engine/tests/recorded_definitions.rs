//! Every recorded definition of Step Functions is imported, or says by state why not.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test reads what lies beside the checkout, says when there is nothing, and fails when it cannot go on"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use foreshard_engine::asl::{self, Import, Options, Outcome};
use foreshard_engine::parse::{self, Library};
use foreshard_engine::plan::{PlanInput, plan};
use foreshard_model::ids::{Generation, RunId};
use foreshard_model::outlook::{Outlook, Promised};
use foreshard_model::policy::RunOptions;
use foreshard_model::problem::Severity;
use foreshard_model::target::Pool;
use serde_json::Value;

/// The definitions beside the checkout, as path and text; `None`, and a line that says so, where they are not required.
fn recorded() -> Option<Vec<(String, String)>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/asl/asl.jsonl.gz");
    let required = std::env::var("FORESHARD_SHARED").is_ok_and(|how| how == "required");
    let bytes = match std::fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) if required => panic!("`{}` is required: {error}", file.display()),
        Err(_) => {
            println!(
                "SKIPPED: recorded definitions: there is no `{}`",
                file.display()
            );
            return None;
        }
    };
    let mut text = String::new();
    GzDecoder::new(bytes.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    let lines = text.lines().map(|line| {
        let entry: Value = serde_json::from_str(line).unwrap();
        (
            entry["path"].as_str().unwrap().to_owned(),
            entry["asl"].to_string(),
        )
    });
    Some(lines.collect())
}

fn options(text: &str, services: bool) -> Options {
    // Each placeholder stands for a function, a table or the like; a plain name is good for all of them.
    let values = asl::placeholders(text).into_iter().map(|name| {
        let plain = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        (name, plain)
    });
    Options {
        values: values.collect(),
        map_items: services.then_some(4),
        services: services.then(|| "services".to_owned()),
        ..Options::default()
    }
}

/// What was imported can be read and planned, with no problem.
fn check(path: &str, document: &str) {
    let parsed = parse::document(document.as_bytes(), &Library::new());
    let parsed = parsed.unwrap_or_else(|problems| panic!("{path}: {problems:#?}\n{document}"));
    let pool = Pool::default_on_aws("us-east-1");
    let input = PlanInput {
        run: &RunId::from("r-planned"),
        generation: Generation(0),
        workflow: &parsed.workflow,
        pool: &pool,
        options: &RunOptions::default(),
        bundles: &BTreeMap::new(),
        region: "us-east-1",
        outlook: &Outlook::default(),
        promised: &Promised::default(),
    };
    if let Err(problems) = plan(&input) {
        panic!("{path}: {problems:#?}\n{document}");
    }
}

/// What came of all definitions with the same options.
#[derive(Default)]
struct Counts {
    definitions: BTreeMap<Outcome, usize>,
    /// Definitions with such a finding.
    findings: BTreeMap<String, usize>,
}

impl Counts {
    fn add(&mut self, import: &Import) {
        *self.definitions.entry(import.outcome()).or_default() += 1;
        let codes: BTreeSet<&str> = import.findings.iter().map(|f| f.code.as_str()).collect();
        for code in codes {
            *self.findings.entry(code.to_owned()).or_default() += 1;
        }
    }
}

/// The title that a code has among the errors' explanations.
fn title(code: &str) -> &str {
    let page = include_str!("../../../docs/errors.md");
    let heading = page
        .lines()
        .find(|line| line.starts_with(&format!("## {code} ")));
    heading.unwrap().trim_start_matches("## ")
}

/// The counts as the documentation shows them.
fn table(plain: &Counts, helped: &Counts) -> String {
    let mut text =
        String::from("| | as they are | with `--services` and `--map-items 4` |\n|---|---|---|\n");
    let outcomes = [
        (Outcome::Imported, "imported whole"),
        (Outcome::Differs, "imported with a difference"),
        (Outcome::Refused, "refused"),
    ];
    let count =
        |counts: &BTreeMap<Outcome, usize>, outcome| counts.get(&outcome).copied().unwrap_or(0);
    for (outcome, name) in outcomes {
        let (one, two) = (
            count(&plain.definitions, outcome),
            count(&helped.definitions, outcome),
        );
        text.push_str(&format!("| **{name}** | **{one}** | **{two}** |\n"));
    }
    let codes: BTreeSet<&String> = plain
        .findings
        .keys()
        .chain(helped.findings.keys())
        .collect();
    for code in codes {
        let (one, two) = (plain.findings.get(code), helped.findings.get(code));
        let (one, two) = (one.copied().unwrap_or(0), two.copied().unwrap_or(0));
        text.push_str(&format!("| {} | {one} | {two} |\n", title(code)));
    }
    text
}

fn count(recorded: &[(String, String)], helped: bool) -> Counts {
    let mut counts = Counts::default();
    for (path, text) in recorded {
        let import = asl::import(text.as_bytes(), &options(text, helped))
            .unwrap_or_else(|problems| panic!("{path}: {problems:#?}"));
        counts.add(&import);
        let errors = import
            .findings
            .iter()
            .filter(|f| f.severity == Severity::Error);
        assert_eq!(import.document.is_none(), errors.count() > 0, "{path}");
        if let Some(document) = &import.document {
            check(path, document);
        }
    }
    counts
}

#[test]
fn every_recorded_definition_is_imported_or_says_why_not() {
    let Some(recorded) = recorded() else { return };
    let (plain, helped) = (count(&recorded, false), count(&recorded, true));
    assert_eq!(plain.definitions.values().sum::<usize>(), recorded.len());
    let table = table(&plain, &helped);
    let page = include_str!("../../../docs/import.md");
    assert!(page.contains(&table), "docs/import.md is to say:\n{table}");
}
