//! `plan` at the built command, with a pool and an outlook of its own: what the front prints gives the plans it shows.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::transcripts::program;

const POOL: &str = r"
targets:
  - {id: small, region: us-east-1, memory: 1769}
  - {id: large, region: us-east-1, memory: 7076}
  - {id: far, region: eu-west-1, memory: 1769, architecture: x86_64, speed: 1.3}
links:
  - {from: us-east-1, to: eu-west-1, mb_per_s: 40, latency_ms: 70}
concurrency: 1000
";

const OUTLOOK: &str = r#"
regions:
  us-east-1:
    free:
      - {from_s: 0, lanes: {"0.1": 2, "0.5": 20}}
      - {from_s: 600, lanes: {"0.5": 400}}
    failures_per_h: 0.5
"#;

/// Twelve tasks between two.
fn fork() -> String {
    let mut text = "foreshard: 1\nname: fork\nversion: \"1\"\ntasks:\n".to_owned();
    text.push_str("  - {id: first, kind: synthetic, cpu_s: 2}\n");
    let names: Vec<String> = (0..12).map(|at| format!("t{at}")).collect();
    for (at, name) in names.iter().enumerate() {
        let cpu_s = 5 + at;
        text.push_str(&format!(
            "  - {{id: {name}, kind: synthetic, cpu_s: {cpu_s}, needs: [first]}}\n"
        ));
    }
    let names = names.join(", ");
    text.push_str(&format!(
        "  - {{id: last, kind: synthetic, cpu_s: 1, needs: [{names}]}}\n"
    ));
    text
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let documents = [
        ("fork.yaml", fork()),
        ("pool.yaml", POOL.to_owned()),
        ("outlook.yaml", OUTLOOK.to_owned()),
        ("wrong.yaml", OUTLOOK.replace("us-east-1", "nowhere-1")),
    ];
    for (name, text) in documents {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

/// Types a command; what it printed, what it said beside, and its exit code.
fn typed(folder: &Path, line: &str) -> (String, String, i32) {
    let answer = Command::new(program())
        .args(line.split_whitespace())
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env_remove("FORESHARD_STATE")
        .output()
        .expect("cargo build --workspace has made the command");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = answer.status.code().unwrap_or(-1);
    (text(&answer.stdout), text(&answer.stderr), code)
}

const PLAN: &str = "plan fork.yaml --pool pool.yaml --outlook outlook.yaml";

fn high(plan: &Value, name: &str) -> f64 {
    plan[name]["high"].as_f64().expect("an interval")
}

#[test]
fn every_row_of_the_front_is_what_its_arguments_give() {
    let folder = folder();
    let json = |line: &str| -> Value {
        let (out, err, code) = typed(folder.path(), &format!("{PLAN} {line} --format json"));
        assert_eq!(code, 0, "{line}: {err}");
        serde_json::from_str(&out).expect("JSON")
    };
    let rows = json("--pareto");
    let rows = rows.as_array().expect("a list");
    let (table, _, _) = typed(folder.path(), &format!("{PLAN} --pareto"));
    let whole = json("--pareto --all");
    let whole = whole.as_array().expect("a list");
    assert!((2..=whole.len()).contains(&rows.len()), "{table}");
    assert_eq!(
        rows.len() < whole.len(),
        table.contains("--all lists them"),
        "{table}"
    );
    for (row, line) in rows.iter().zip(table.lines().skip(1)) {
        let arguments = line.find("--").map_or("", |at| &line[at..]);
        let price = &json(arguments)["price"];
        for name in ["makespan_s", "total_usd"] {
            let (shown, made) = (high(row, name), high(price, name));
            assert!(
                (shown - made).abs() <= 1e-9 * shown,
                "{name} of `{line}`: {made}"
            );
        }
    }
}

#[test]
fn a_deadline_takes_the_cheapest_plan_that_keeps_it_and_says_when_none_does() {
    let folder = folder();
    let (plan, said, code) = typed(folder.path(), &format!("{PLAN} --deadline-s 60"));
    assert_eq!((said.as_str(), code), ("", 0), "{plan}");
    assert!(
        plan.contains("kept: nine of ten such runs stay within"),
        "{plan}"
    );
    let (plan, said, code) = typed(folder.path(), &format!("{PLAN} --deadline-s 1"));
    assert_eq!(code, 0, "{said}");
    assert!(said.starts_with("warning: "), "{said}");
    assert!(
        plan.contains("cannot be kept by any plan whatever"),
        "{plan}"
    );
    let refused = format!("{PLAN} --deadline-s 1 --unmet refuse");
    let (plan, said, code) = typed(folder.path(), &refused);
    assert_eq!((plan.as_str(), code), ("", 2), "{said}");
    assert!(said.contains("FS2021"), "{said}");
}

#[test]
fn an_outlook_for_another_pool_is_refused() {
    let folder = folder();
    let line = PLAN.replace("outlook.yaml", "wrong.yaml");
    let (plan, said, code) = typed(folder.path(), &line);
    assert_eq!((plan.as_str(), code), ("", 2), "{said}");
    assert!(
        said.contains("FS2016") && said.contains("nowhere-1"),
        "{said}"
    );
}
