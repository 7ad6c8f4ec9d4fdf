//! Runs the tests of the emulators' hosts, each in its own virtual environment.

use std::process::Command;

use foreshard_local_emulator::{Emulator, Home, host, progress::Silent, tools, venv};

/// Runs the tests of a host; gives the end of what they say.
fn tests_pass(emulator: Emulator) -> String {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let home = Home::find(here, None).expect("tests run in a checkout");
    let tools = tools::find(emulator).unwrap_or_else(|missing| panic!("missing: {missing:?}"));
    let python = venv::ensure(&home, &tools, emulator, &Silent).expect("the virtual environment");
    let answer = Command::new(python)
        .args(["-m", "unittest", "discover", "-s", "tests", "-t", "."])
        .current_dir(emulator.folder(&home))
        .envs(host::python_environment(&home))
        .output()
        .expect("python starts");
    let text = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "{text}");
    assert!(!text.contains("Ran 0 tests"), "{text}");
    venv::tail(&text)
}

#[test]
fn the_host_of_ministack_passes_its_tests() {
    println!("{}", tests_pass(Emulator::Ministack));
}

#[test]
fn the_host_of_localstack_passes_its_tests() {
    match tools::python(Emulator::Localstack) {
        Ok(_) => println!("{}", tests_pass(Emulator::Localstack)),
        Err(missing) => println!("SKIPPED: the host of LocalStack was not tested: {missing}"),
    }
}
