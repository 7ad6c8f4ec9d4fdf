//! What every source file must look like: a first sentence, a size that can be read, a name that says what it holds.

use std::path::{Path, PathBuf};
use std::process::Command;

/// No file is longer.
const LINES_MAX: usize = 500;

/// Names that say nothing.
const EMPTY_NAMES: [&str; 7] = [
    "util", "utils", "common", "helper", "helpers", "manager", "types",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .expect("the workspace is there")
}

/// Source files that git tracks or would track.
fn sources() -> Vec<PathBuf> {
    let listing = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git lists the files");
    let text = String::from_utf8(listing.stdout).expect("paths are text");
    let mut files: Vec<PathBuf> = text
        .lines()
        .map(|l| root().join(l))
        .filter(|p| p.is_file())
        .collect();
    files.retain(|p| {
        matches!(
            p.extension().and_then(|e| e.to_str()),
            Some("rs" | "ts" | "py" | "sh")
        )
    });
    assert!(
        files.len() > 50,
        "the listing is not empty: {}",
        files.len()
    );
    files
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn every_file_opens_with_a_sentence_about_itself() {
    let missing: Vec<String> = sources()
        .iter()
        // A test of a construct is named after it, and says the rest in its first `describe`.
        .filter(|path| !path.to_string_lossy().ends_with(".test.ts"))
        .filter(|path| {
            let text = read(path);
            let mut lines = text
                .lines()
                .filter(|l| !l.starts_with("#!") && !l.trim().is_empty());
            let first = lines.next().unwrap_or_default();
            let opening = match path.extension().and_then(|e| e.to_str()) {
                Some("rs") => "//! ",
                Some("py") => "\"\"\"",
                Some("ts") => "/",
                _ => "# ",
            };
            !first.starts_with(opening) && !text.is_empty()
        })
        .map(|p| p.display().to_string())
        .collect();
    assert!(
        missing.is_empty(),
        "no first sentence in:\n{}",
        missing.join("\n")
    );
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<String> = sources()
        .iter()
        .map(|p| (read(p).lines().count(), p))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .map(|(lines, p)| format!("{lines} {}", p.display()))
        .collect();
    assert!(
        long.is_empty(),
        "longer than {LINES_MAX} lines:\n{}",
        long.join("\n")
    );
}

#[test]
fn names_say_what_they_hold() {
    let empty: Vec<String> = sources()
        .iter()
        .filter(|p| {
            p.file_stem()
                .and_then(|s| s.to_str())
                .is_some_and(|stem| EMPTY_NAMES.contains(&stem))
        })
        .map(|p| p.display().to_string())
        .collect();
    assert!(empty.is_empty(), "{}", empty.join("\n"));
}

#[test]
fn nothing_is_left_open() {
    let marks = [
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("#[ig", "nore"),
    ];
    let open: Vec<String> = sources()
        .iter()
        .flat_map(|p| {
            let text = read(p);
            let found: Vec<String> = text
                .lines()
                .enumerate()
                .filter(|(_, line)| marks.iter().any(|m| line.contains(m)))
                .map(|(number, line)| format!("{}:{}: {}", p.display(), number + 1, line.trim()))
                .collect();
            found
        })
        .collect();
    assert!(open.is_empty(), "left open:\n{}", open.join("\n"));
}

#[test]
fn stages_have_one_verb_at_every_layer() {
    let root = root();
    for stage in [
        "submit",
        "plan",
        "dispatch",
        "aggregate",
        "reshard",
        "prewarm",
    ] {
        assert!(
            root.join(format!("functions/{stage}/src/main.rs"))
                .is_file(),
            "functions/{stage}"
        );
        let file = root.join(format!("shared/stages/src/{stage}.rs"));
        let folder = root.join(format!("shared/stages/src/{stage}/mod.rs"));
        assert!(
            file.is_file() || folder.is_file(),
            "shared/stages/src/{stage}"
        );
    }
    assert!(
        root.join("functions/execute/src/main.rs").is_file(),
        "execute is the worker's"
    );
}
