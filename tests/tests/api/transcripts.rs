//! The command line against the API in memory: what is typed, what is printed, the exit code.

use std::path::PathBuf;
use std::process::Command;

use foreshard_model::ids::RunId;
use foreshard_model::ledger::{Event, EventKind};
use foreshard_model::run::RunState;
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::LedgerWrites as _;

use super::server::{Server, serve};

const CHAIN: &str = r#"foreshard: 1
name: chain
version: "1"
tasks:
  - {id: a, kind: synthetic, cpu_s: 0.1}
  - {id: b, kind: synthetic, cpu_s: 0.1, needs: [a]}
"#;

/// A server, a folder with documents, and what was typed and printed so far.
struct Terminal {
    server: Server,
    folder: tempfile::TempDir,
    transcript: String,
    runs: Vec<String>,
}

/// The binary beside the tests, built in the same profile.
pub(super) fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let built = test.ancestors().nth(2);
    built
        .expect("it is in target/<profile>/deps")
        .join("foreshard")
}

/// The binary as somebody runs it who may call deployments, and nothing else of this machine's.
pub(super) fn signed() -> Command {
    let mut command = Command::new(program());
    command
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_REGION", "us-east-1")
        .env("NO_COLOR", "1")
        .env_remove("FORESHARD_STATE");
    command
}

impl Terminal {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let cyclic = CHAIN.replace(
            "cpu_s: 0.1}\n  - {id: b",
            "cpu_s: 0.1, needs: [b]}\n  - {id: b",
        );
        for (name, text) in [
            ("chain.yaml", CHAIN.to_owned()),
            ("second.yaml", CHAIN.replace("\"1\"", "\"2\"")),
            ("other.yaml", CHAIN.replace("chain", "other")),
            ("cycle.yaml", cyclic),
        ] {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        Self {
            server: serve(),
            folder,
            transcript: String::new(),
            runs: Vec::new(),
        }
    }

    /// Types a command; `$1` is the first run that was submitted here.
    fn type_in(&mut self, line: &str) {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        for word in &mut words {
            if let Some(number) = word.strip_prefix('$').and_then(|n| n.parse::<usize>().ok()) {
                *word = self.runs[number - 1].clone();
            }
        }
        let answer = signed()
            .args(&words)
            .args(["--api", &self.server.url])
            .current_dir(self.folder.path())
            .output()
            .expect("cargo build --workspace has made the command");
        let out = String::from_utf8_lossy(&answer.stdout).into_owned();
        if line.starts_with("run ") {
            self.runs.push(out.trim().to_owned());
        }
        let err = String::from_utf8_lossy(&answer.stderr);
        let code = answer.status.code().unwrap_or(-1);
        self.transcript += &format!("$ foreshard {line}\n{out}{err}");
        if code != 0 {
            self.transcript += &format!("[exit code {code}]\n");
        }
    }

    /// What happens to a run behind the command's back.
    fn happens(&self, run: usize, state: RunState, kind: EventKind, because: &str) {
        let run = RunId::from(self.runs[run - 1].as_str());
        let mut item = self.server.world.run_item(&run).expect("it is there");
        item.state = state;
        let at = TimeMs(item.accepted_at.0 + 1_500);
        self.server.world.put_run(item);
        let event = Event {
            run,
            at,
            kind,
            shard: None,
            attempt: None,
            lane: None,
            target: None,
            because: because.to_owned(),
            numbers: std::collections::BTreeMap::new(),
        };
        foreshard_fakes::block_on(self.server.world.record(&[event])).expect("recorded");
    }

    /// Everything so far, with the runs' numbers for their ids, and zeros for the planner's figures.
    fn shown(&self) -> String {
        let zero = |c: char| if c.is_ascii_digit() { '0' } else { c };
        let mut text = String::new();
        for line in self.transcript.split_inclusive('\n') {
            if line.starts_with("planned: ") {
                text.extend(line.chars().map(zero));
            } else {
                text.push_str(line);
            }
        }
        for (index, run) in self.runs.iter().enumerate() {
            text = text.replace(run, &format!("<run-{:<16}>", index + 1));
        }
        text
    }
}

#[test]
fn documents_are_judged_here_and_by_the_deployment() {
    let mut terminal = Terminal::new();
    terminal.type_in("validate chain.yaml");
    terminal.type_in("validate chain.yaml --remote");
    terminal.type_in("validate chain.yaml --format json");
    terminal.type_in("validate cycle.yaml");
    terminal.type_in("validate cycle.yaml --remote --format json");
    insta::assert_snapshot!(terminal.shown(), @r#"
    $ foreshard validate chain.yaml
    chain 1: 2 tasks, no problems
    $ foreshard validate chain.yaml --remote
    chain 1: 2 tasks, no problems
    planned: 0 shards on 0 lanes, 0.0 s, $0.000000 on AWS by the price list
    $ foreshard validate chain.yaml --format json
    {
      "valid": true,
      "workflow": {
        "name": "chain",
        "version": "1"
      },
      "tasks": 2
    }
    $ foreshard validate cycle.yaml
    FS1022

      × tasks[0].needs[0]: tasks wait for each other: `a` → `b` → `a`
       ╭─[cycle.yaml:5:50]
     4 │ tasks:
     5 │   - {id: a, kind: synthetic, cpu_s: 0.1, needs: [b]}
       ·                                                  ┬
       ·                                                  ╰── here
     6 │   - {id: b, kind: synthetic, cpu_s: 0.1, needs: [a]}
       ╰────
      help: remove one of these `needs`
    cycle.yaml: 1 problem

    [exit code 2]
    $ foreshard validate cycle.yaml --remote --format json
    {
      "valid": false,
      "problems": [
        {
          "code": "FS1022",
          "severity": "error",
          "path": "tasks[0].needs[0]",
          "place": {
            "line": 5,
            "column": 50,
            "offset": 94,
            "length": 1
          },
          "message": "tasks wait for each other: `a` → `b` → `a`",
          "hint": "remove one of these `needs`"
        }
      ]
    }
    [exit code 2]
    "#);
}

#[test]
fn workflows_are_registered_listed_and_printed() {
    let mut terminal = Terminal::new();
    terminal.type_in("workflows");
    for name in ["chain", "second", "other"] {
        terminal.type_in(&format!("register {name}.yaml"));
    }
    terminal.type_in("workflows");
    terminal.type_in("workflows chain");
    terminal.type_in("workflows chain 2");
    terminal.type_in("workflows chain --format json");
    terminal.type_in("workflows nothing");
    insta::assert_snapshot!(terminal.shown(), @r#"
    $ foreshard workflows
    no workflow is registered
    $ foreshard register chain.yaml
    chain@1
    registered
    $ foreshard register second.yaml
    chain@2
    registered
    $ foreshard register other.yaml
    other@1
    registered
    $ foreshard workflows
    chain@1
    chain@2
    other@1
    $ foreshard workflows chain
    chain@1
    chain@2
    $ foreshard workflows chain 2
    foreshard: 1
    name: chain
    version: "2"
    tasks:
      - {id: a, kind: synthetic, cpu_s: 0.1}
      - {id: b, kind: synthetic, cpu_s: 0.1, needs: [a]}
    $ foreshard workflows chain --format json
    [
      {
        "name": "chain",
        "version": "1"
      },
      {
        "name": "chain",
        "version": "2"
      }
    ]
    $ foreshard workflows nothing
    error: there is no such workflow (FS3017): `nothing`
      see errors.md#fs3017
    [exit code 3]
    "#);
}

#[test]
fn runs_are_listed_as_asked() {
    let mut terminal = Terminal::new();
    for name in ["chain", "other", "chain"] {
        terminal.type_in(&format!("run {name}.yaml --detach"));
        terminal.server.world.advance(3_600_000);
    }
    terminal.happens(2, RunState::Failed, EventKind::State, "failed: it was to");
    terminal.type_in("list");
    terminal.type_in("list --status failed,succeeded");
    terminal.type_in("list --workflow chain --limit 1");
    terminal.type_in("list --since 2000-01-01 --until 2000-01-02T00:00:00Z");
    terminal.type_in("list --status done");
    terminal.type_in("list --since yesterday");
    insta::assert_snapshot!(terminal.shown(), @r#"
    $ foreshard run chain.yaml --detach
    <run-1               >
    run <run-1               >
    $ foreshard run other.yaml --detach
    <run-2               >
    run <run-2               >
    $ foreshard run chain.yaml --detach
    <run-3               >
    run <run-3               >
    $ foreshard list
    RUN                     STATE       ACCEPTED              WORKFLOW
    <run-3               >  accepted    2026-11-21 02:00:00Z  chain
    <run-2               >  failed      2026-11-21 01:00:00Z  other
    <run-1               >  accepted    2026-11-21 00:00:00Z  chain
    $ foreshard list --status failed,succeeded
    RUN                     STATE       ACCEPTED              WORKFLOW
    <run-2               >  failed      2026-11-21 01:00:00Z  other
    $ foreshard list --workflow chain --limit 1
    RUN                     STATE       ACCEPTED              WORKFLOW
    <run-3               >  accepted    2026-11-21 02:00:00Z  chain
    $ foreshard list --since 2000-01-01 --until 2000-01-02T00:00:00Z
    RUN                     STATE       ACCEPTED              WORKFLOW
    $ foreshard list --status done
    error: a parameter cannot be understood (FS3006): `state` is `done`: one or more of accepted, running, completing, failing, cancelling, pausing, paused, succeeded, failed, cancelled, separated by commas
      see errors.md#fs3006
    [exit code 3]
    $ foreshard list --since yesterday
    error: `yesterday` is not a time: `2026-11-21`, `2026-11-21T08:00:00Z`, or as long ago as `36h`
    [exit code 2]
    "#);
}

#[test]
fn events_are_printed_and_followed_to_the_end() {
    let mut terminal = Terminal::new();
    terminal.type_in("run chain.yaml --detach");
    terminal.happens(
        1,
        RunState::Succeeded,
        EventKind::State,
        "succeeded: all is done",
    );
    terminal.type_in("events $1");
    terminal.type_in("events $1 --follow");
    terminal.type_in("events $1 --follow --format json");
    terminal.type_in("events r-aaaaaaaaaaaaaaaaaaaa");
    insta::assert_snapshot!(terminal.shown(), @r#"
    $ foreshard run chain.yaml --detach
    <run-1               >
    run <run-1               >
    $ foreshard events $1
        0.000 s  accepted   accepted: submitted by arn:aws:iam::000000000000:user/local
        1.500 s  state      succeeded: all is done
    $ foreshard events $1 --follow
        0.000 s  accepted   accepted: submitted by arn:aws:iam::000000000000:user/local
        1.500 s  state      succeeded: all is done
    $ foreshard events $1 --follow --format json
    {"run":"<run-1               >","at":1795219200000,"kind":"accepted","because":"accepted: submitted by arn:aws:iam::000000000000:user/local"}
    {"run":"<run-1               >","at":1795219201500,"kind":"state","because":"succeeded: all is done"}
    $ foreshard events r-aaaaaaaaaaaaaaaaaaaa
    error: there is no such run (FS3005): `r-aaaaaaaaaaaaaaaaaaaa`
      see errors.md#fs3005
    [exit code 3]
    "#);
}

#[test]
fn the_description_of_the_api_is_printed_as_it_is_in_the_documentation() {
    let printed = Command::new(program()).arg("openapi").output();
    let printed = printed.expect("the command starts").stdout;
    let documented = include_str!("../../../docs/openapi.json");
    assert!(
        String::from_utf8_lossy(&printed) == documented,
        "docs/openapi.json is out of date: `make openapi` makes it anew"
    );
}
