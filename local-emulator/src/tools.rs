//! The tools that the machine must have: found by executing candidates, because a shim on the path may fail.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use crate::home::Home;

/// Oldest Python that the emulator runs on.
pub const PYTHON_MIN: (u32, u32) = (3, 10);
/// Oldest Node that the CDK runs on.
pub const NODE_MIN: (u32, u32) = (20, 0);

/// A tool that is missing, and how to get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// What.
    pub tool: String,
    /// What was found instead.
    pub found: String,
    /// How to get it.
    pub hint: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})\n    hint: {}", self.tool, self.found, self.hint)
    }
}

/// The tools, found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    /// A Python that is new enough and can make virtual environments.
    pub python: PathBuf,
    /// Node.
    pub node: PathBuf,
    /// npm.
    pub npm: PathBuf,
}

/// Finds every tool.
///
/// # Errors
/// All that is missing, at once.
pub fn find(home: &Home) -> Result<Tools, Vec<Missing>> {
    let python = python(home);
    let node = tool(
        "node",
        "Node",
        NODE_MIN,
        "install Node 20 or later (nodejs.org, or your package manager)",
    );
    let npm = tool(
        "npm",
        "npm",
        (9, 0),
        "npm comes with Node; some packages call it `npm`",
    );
    match (python, node, npm) {
        (Ok(python), Ok(node), Ok(npm)) => Ok(Tools { python, node, npm }),
        (python, node, npm) => Err([python.err(), node.err(), npm.err()]
            .into_iter()
            .flatten()
            .collect()),
    }
}

/// A Python for the emulator: the newest of the candidates that really runs and has `venv`.
fn python(home: &Home) -> Result<PathBuf, Missing> {
    let mut seen = Vec::new();
    for candidate in python_candidates(home) {
        let probe = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])";
        let Ok(answer) = Command::new(&candidate).args(["-c", probe]).output() else {
            continue;
        };
        let text = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        match version(&text) {
            Some(found) if answer.status.success() && found >= PYTHON_MIN => return Ok(candidate),
            Some(found) => seen.push(format!(
                "{} is {}.{}",
                candidate.display(),
                found.0,
                found.1
            )),
            None => seen.push(format!(
                "{} does not run, or lacks venv",
                candidate.display()
            )),
        }
    }
    Err(Missing {
        tool: format!(
            "Python {}.{} or later with venv",
            PYTHON_MIN.0, PYTHON_MIN.1
        ),
        found: if seen.is_empty() {
            "none found".to_owned()
        } else {
            seen.join("; ")
        },
        hint: "install python3 and python3-venv with your package manager".to_owned(),
    })
}

fn python_candidates(_home: &Home) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = [
        "python3",
        "python3.13",
        "python3.12",
        "python3.11",
        "python3.10",
        "python",
    ]
    .map(PathBuf::from)
    .to_vec();
    let pyenv = std::env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".pyenv")));
    let Some(Ok(versions)) = pyenv.map(|root| std::fs::read_dir(root.join("versions"))) else {
        return names;
    };
    let mut installed: Vec<PathBuf> = versions
        .flatten()
        .map(|v| v.path().join("bin/python3"))
        .collect();
    installed.sort();
    names.extend(installed.into_iter().rev());
    names
}

fn tool(name: &str, title: &str, least: (u32, u32), hint: &str) -> Result<PathBuf, Missing> {
    let answer = Command::new(name).arg("--version").output();
    let found = answer
        .as_ref()
        .map(|a| String::from_utf8_lossy(&a.stdout).trim().to_owned())
        .unwrap_or_default();
    match version(found.trim_start_matches('v')) {
        Some(seen) if seen >= least => Ok(PathBuf::from(name)),
        _ => Err(Missing {
            tool: format!("{title} {}.{} or later", least.0, least.1),
            found: if found.is_empty() {
                "none found".to_owned()
            } else {
                format!("found {found}")
            },
            hint: hint.to_owned(),
        }),
    }
}

/// `3.11`, `20.20.2` → major and minor.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("3.11"), Some((3, 11)));
        assert_eq!(version("20.20.2"), Some((20, 20)));
        assert!(version("3.9") < Some(PYTHON_MIN));
        assert_eq!(version("Python"), None);
    }

    #[test]
    fn a_missing_tool_says_how_to_get_it() {
        let missing = tool("no-such-tool-here", "Nothing", (1, 0), "look elsewhere")
            .expect_err("it is not there");
        assert_eq!(
            missing.to_string(),
            "Nothing 1.0 or later (none found)\n    hint: look elsewhere"
        );
    }
}
