//! What is there and what is missing, all at once, before anything is started.

use crate::deploy::STAGES;
use crate::emulator::Emulator;
use crate::home::Home;
use crate::machine::Machine;
use crate::record::Record;
use crate::tools;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Whether it is as it should be.
    pub good: bool,
    /// What.
    pub what: String,
    /// How to mend it; empty when good.
    pub hint: String,
}

/// Looks at everything.
#[must_use]
pub fn doctor(home: &Home, emulator: Emulator) -> Vec<Check> {
    let good = |what: String| Check {
        good: true,
        what,
        hint: String::new(),
    };
    let mut checks = Vec::new();
    match tools::find(emulator) {
        Ok(found) => checks.push(good(format!(
            "Python ({}), Node and npm",
            found.python(emulator).display()
        ))),
        Err(missing) => checks.extend(missing.into_iter().map(|m| Check {
            good: false,
            what: format!("{}: {}", m.tool, m.found),
            hint: m.hint,
        })),
    }
    checks.extend(others(emulator).map(good));
    let unbuilt: Vec<&str> = STAGES
        .into_iter()
        .filter(|stage| !home.artifacts().join(stage).join("bootstrap").is_file())
        .collect();
    checks.push(if unbuilt.is_empty() {
        good("every function is built".to_owned())
    } else {
        Check {
            good: false,
            what: format!("not built: {}", unbuilt.join(", ")),
            hint: "make functions".to_owned(),
        }
    });
    let machine = Machine::here();
    checks.push(good(format!(
        "{} cores, {} MiB: {} lanes in {} MiB",
        machine.cores,
        machine.memory_mib,
        machine.lanes_max(),
        machine.lane_memory_mib()
    )));
    checks.push(match Record::read(home) {
        Some(record) if record.is_healthy() => good(format!(
            "{} runs at {}",
            record.emulator.title(),
            record.endpoint
        )),
        Some(record) => Check {
            good: false,
            what: format!(
                "{} at {} does not answer",
                record.emulator.title(),
                record.endpoint
            ),
            hint: "foreshard down, then foreshard up".to_owned(),
        },
        None => good("no emulator runs (`foreshard up` starts it)".to_owned()),
    });
    checks
}

/// Whether this machine could run the emulators that were not asked for; it need not.
fn others(emulator: Emulator) -> impl Iterator<Item = String> {
    let others = Emulator::ALL.into_iter().filter(move |e| *e != emulator);
    others.map(|other| match tools::python(other) {
        Ok(python) => format!(
            "{} could run too (`--emulator {other}`), with {}",
            other.title(),
            python.display()
        ),
        Err(missing) => format!(
            "{} could not run: {}; {}",
            other.title(),
            missing.tool,
            missing.hint
        ),
    })
}
