//! Runs the tests of the emulator's launcher in its own virtual environment.

use std::process::Command;

use foreshard_local_emulator::{Home, progress::Silent, tools, venv};

#[test]
fn the_launcher_passes_its_tests() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let home = Home::find(here, None).expect("tests run in a checkout");
    let tools = tools::find(&home).unwrap_or_else(|missing| panic!("missing: {missing:?}"));
    let python = venv::ensure(&home, &tools, &Silent).expect("the virtual environment");
    let answer = Command::new(python)
        .args(["-m", "unittest", "discover", "-s", "tests", "-t", "."])
        .current_dir(home.launcher())
        .output()
        .expect("python starts");
    let text = String::from_utf8_lossy(&answer.stderr);
    println!("{}", venv::tail(&text));
    assert!(answer.status.success(), "{text}");
    assert!(!text.contains("Ran 0 tests"), "{text}");
}
