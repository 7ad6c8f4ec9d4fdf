//! The command line that repeats a simulation to the byte.

use std::fmt::Write as _;
use std::path::Path;

use super::Simulate;

/// The command that simulates this file with this seed as it was simulated; options that were not given are left out.
pub(super) fn command(wanted: &Simulate, file: &Path, seed: u64) -> String {
    let mut text = format!(
        "foreshard simulate {} --seed {seed}",
        quoted(&file.display().to_string())
    );
    let mut option = |name: &str, value: String| {
        let _ = write!(text, " --{name} {value}");
    };
    for (name, factor) in [
        ("scale", wanted.scale),
        ("slower", wanted.slower),
        ("larger", wanted.larger),
    ] {
        if factor != 1.0 {
            option(name, factor.to_string());
        }
    }
    option("region", quoted(&wanted.region));
    for (name, number) in [
        ("concurrency", wanted.concurrency),
        ("lanes", wanted.lanes),
        ("shard-tasks", wanted.shard_tasks),
    ] {
        if let Some(number) = number {
            option(name, number.to_string());
        }
    }
    if let Some(expression) = &wanted.schedule {
        option("schedule", quoted(expression));
        option("times", wanted.times.to_string());
    }
    if let Some(usd) = wanted.prewarm {
        option("prewarm", usd.to_string());
    }
    for (memory, count) in &wanted.provisioned {
        option("provisioned", format!("{}={count}", memory.0));
    }
    for trouble in &wanted.trouble {
        option("trouble", quoted(trouble));
    }
    if wanted.image {
        text.push_str(" --image");
    }
    text
}

/// As a shell takes it for one word.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=+:,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        simulate: Simulate,
    }

    #[test]
    fn what_is_repeated_is_what_was_asked_for() {
        let given = [
            "foreshard",
            "my file.json",
            "--scale",
            "0.5",
            "--lanes",
            "7",
            "--image",
            "--schedule",
            "rate(1 hour)",
            "--times",
            "4",
            "--prewarm",
            "0.25",
            "--provisioned",
            "1769=3",
            "--trouble",
            "writes=30",
            "--trouble",
            "skewed=100",
        ];
        let wanted = Line::parse_from(given).simulate;
        let text = command(&wanted, &wanted.files[0], 9);
        assert_eq!(
            text,
            "foreshard simulate 'my file.json' --seed 9 --scale 0.5 --region us-east-1 --lanes 7 --schedule 'rate(1 hour)' \
             --times 4 --prewarm 0.25 --provisioned 1769=3 --trouble writes=30 --trouble skewed=100 --image"
        );
    }
}
