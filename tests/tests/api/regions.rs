//! `run` and `plan` at several deployments: which one the run goes to, what is said of it, and which run a key stands for.

use std::collections::BTreeMap;

use foreshard_fakes::build;
use foreshard_model::outlook::{Expected, Outlook, Step, StoredOutlook};
use foreshard_model::units::TimeMs;
use serde_json::Value;

use super::server::{Server, serve};
use super::transcripts::signed;

/// Sixty tasks of a minute side by side.
fn wide() -> String {
    let mut text = "foreshard: 1\nname: wide\nversion: \"1\"\ntasks:\n".to_owned();
    for task in 0..60 {
        text.push_str(&format!(
            "  - {{id: t{task}, kind: synthetic, cpu_s: 60}}\n"
        ));
    }
    text
}

/// A deployment in a region, in which so many lanes are expected to be free.
fn deployment(region: &str, lanes: f64) -> Server {
    let server = serve();
    let mut pool = build::pool();
    for target in &mut pool.targets {
        target.region = region.to_owned();
    }
    server.world.set_pool(pool);
    let free = vec![Step {
        from_s: 0,
        lanes: BTreeMap::from([("0.5".to_owned(), lanes)]),
    }];
    let expected = Expected {
        free,
        failures_per_h: 0.0,
    };
    server.world.set_outlook(StoredOutlook {
        made_at: now(),
        outlook: Outlook {
            regions: BTreeMap::from([(region.to_owned(), expected)]),
            ..Outlook::default()
        },
        ..StoredOutlook::default()
    });
    server
}

fn now() -> TimeMs {
    let since = std::time::UNIX_EPOCH.elapsed().expect("it is after 1970");
    TimeMs(since.as_millis() as u64)
}

/// What a command prints, and its exit code; addresses by the names of their regions.
fn typed(line: &str, deployments: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("wide.yaml"), wide()).expect("written");
    let mut command = signed();
    command.args(line.split(' ')).current_dir(folder.path());
    for (_, url) in deployments {
        command.args(["--api", url]);
    }
    let answer = command
        .output()
        .expect("cargo build --workspace has made the command");
    let mut text = format!("$ foreshard {line}\n");
    text += &String::from_utf8_lossy(&answer.stdout);
    text += &String::from_utf8_lossy(&answer.stderr);
    for (region, url) in deployments {
        text = text.replace(url, &format!("<{region}>"));
    }
    text + &format!("[exit code {}]\n", answer.status.code().unwrap_or(-1))
}

/// How many runs a deployment has.
fn runs(server: &Server) -> usize {
    let listed = typed("list --format json", &[("it", &server.url)]);
    listed.matches("\"run\": ").count()
}

#[test]
fn a_run_goes_where_lanes_are_free() {
    let (near, far) = (deployment("us-east-1", 1.0), deployment("eu-west-1", 60.0));
    let both = [
        ("us-east-1", near.url.as_str()),
        ("eu-west-1", far.url.as_str()),
    ];
    let text = typed("run wide.yaml --detach", &both);
    insta::assert_snapshot!(without_run(&text), @r"
    $ foreshard run wide.yaml --detach
    <run>
    forecast  `us-east-1`: what is free where is that of the last outlook
    forecast  `eu-west-1`: what is free where is that of the last outlook
      us-east-1        done in 6221 s
      eu-west-1        done in 518 s
    region    `eu-west-1`: done first there
    run <run>
    [exit code 0]
    ");
    assert_eq!((runs(&near), runs(&far)), (0, 1));
    // The plan is made for the same one.
    let plan = typed("plan wide.yaml --format json", &both);
    let json = &plan[plan.find('{').expect("an object")..];
    let plan = serde_json::Deserializer::from_str(json)
        .into_iter::<Value>()
        .next();
    let plan = plan.expect("it is there").expect("it is JSON");
    let targets = plan["targets"].as_array().expect("a list");
    assert!(
        targets.iter().all(|target| target["region"] == "eu-west-1"),
        "{targets:?}"
    );
    assert!(!targets.is_empty());
}

#[test]
fn one_that_does_not_answer_is_left_out() {
    let far = deployment("eu-west-1", 60.0);
    let both = [
        ("us-east-1", "http://127.0.0.1:9"),
        ("eu-west-1", far.url.as_str()),
    ];
    let text = typed("run wide.yaml --detach", &both);
    assert!(
        text.contains("note: <us-east-1> is left out: the deployment does not answer"),
        "{text}"
    );
    assert_eq!(runs(&far), 1);
    // With a key the run may be there already.
    let text = typed("run wide.yaml --detach --idempotency-key monday", &both);
    assert!(text.ends_with("[exit code 4]\n"), "{text}");
    assert_eq!(runs(&far), 1);
}

#[test]
fn the_run_of_a_key_is_found_wherever_it_is() {
    let (near, far) = (deployment("us-east-1", 1.0), deployment("eu-west-1", 60.0));
    let both = [
        ("us-east-1", near.url.as_str()),
        ("eu-west-1", far.url.as_str()),
    ];
    typed(
        "run wide.yaml --detach --idempotency-key monday",
        &both[..1],
    );
    near.world.advance(1_000);
    assert_eq!((runs(&near), runs(&far)), (1, 0));
    let text = typed("run wide.yaml --detach --idempotency-key monday", &both);
    insta::assert_snapshot!(without_run(&text), @r"
    $ foreshard run wide.yaml --detach --idempotency-key monday
    <run>
    us-east-1: it has the run of this key
    run <run> (submitted before with this key)
    [exit code 0]
    ");
    assert_eq!((runs(&near), runs(&far)), (1, 0));
}

#[test]
fn what_cannot_be_asked_of_several_is_said() {
    let (near, twin) = (deployment("us-east-1", 1.0), deployment("us-east-1", 60.0));
    let both = [
        ("us-east-1", near.url.as_str()),
        ("its twin", twin.url.as_str()),
    ];
    let text = typed("run wide.yaml --detach", &both) + &typed("list", &both);
    insta::assert_snapshot!(text, @r"
    $ foreshard run wide.yaml --detach
    error: two of the deployments are in us-east-1: one of a region is to be named
    [exit code 2]
    $ foreshard list
    error: 2 deployments are named, and this is asked of one: give one `--api` (or FORESHARD_API_URL)
    [exit code 2]
    ");
}

/// Runs have ids that differ each time.
fn without_run(text: &str) -> String {
    let words = text.split_inclusive(char::is_whitespace);
    let is_run = |word: &str| word.starts_with("r-") && word.trim().len() == 22;
    words
        .map(|word| {
            if is_run(word) {
                word.replace(word.trim(), "<run>")
            } else {
                word.to_owned()
            }
        })
        .collect()
}
