//! What is assumed is documented.

use foreshard_simulator::PARAMETERS;

#[test]
fn every_assumption_is_a_row_of_the_documentation() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/simulator.md");
    let text = std::fs::read_to_string(path).expect("docs/simulator.md is there");
    let missing: Vec<String> = PARAMETERS
        .iter()
        .map(|(name, value, source)| format!("| {name} | {value} | {source} |"))
        .filter(|row| !text.contains(row))
        .collect();
    assert!(
        missing.is_empty(),
        "not in docs/simulator.md:\n{}",
        missing.join("\n")
    );
}
