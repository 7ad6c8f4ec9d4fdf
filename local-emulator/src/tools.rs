//! The tools that the machine must have: found by executing candidates, because a shim on the path may fail.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::emulator::Emulator;

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
    /// A Python for the emulator and for what runs beside it, that can make virtual environments.
    pythons: BTreeMap<Emulator, PathBuf>,
    /// Node.
    pub node: PathBuf,
    /// npm.
    pub npm: PathBuf,
}

impl Tools {
    /// The Python of an emulator.
    ///
    /// # Panics
    /// When the tools were found for another emulator.
    #[must_use]
    pub fn python(&self, emulator: Emulator) -> &Path {
        &self.pythons[&emulator]
    }
}

/// Finds every tool that an emulator needs, and what runs beside it.
///
/// # Errors
/// All that is missing, at once.
pub fn find(emulator: Emulator) -> Result<Tools, Vec<Missing>> {
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
    let mut missing = Vec::new();
    let mut pythons = BTreeMap::new();
    for each in [Some(emulator), emulator.companion()].into_iter().flatten() {
        match python(each) {
            Ok(found) => {
                pythons.insert(each, found);
            }
            Err(none) => missing.push(none),
        }
    }
    match (node, npm) {
        (Ok(node), Ok(npm)) if missing.is_empty() => Ok(Tools { pythons, node, npm }),
        (node, npm) => {
            missing.extend([node.err(), npm.err()].into_iter().flatten());
            Err(missing)
        }
    }
}

/// A Python for an emulator: the first of the candidates that really runs and has `venv`.
///
/// # Errors
/// What was found instead.
pub fn python(emulator: Emulator) -> Result<PathBuf, Missing> {
    choose(emulator, candidates(&Folders::of_this_user()))
}

fn choose(emulator: Emulator, candidates: Vec<PathBuf>) -> Result<PathBuf, Missing> {
    let mut seen = Vec::new();
    for candidate in candidates {
        let probe = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])";
        let Ok(answer) = Command::new(&candidate).args(["-c", probe]).output() else {
            continue;
        };
        let text = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        match version(&text) {
            Some(found) if answer.status.success() && emulator.takes_python(found) => {
                return Ok(candidate);
            }
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
        tool: emulator.python_title().to_owned(),
        found: if seen.is_empty() {
            "none found".to_owned()
        } else {
            seen.join("; ")
        },
        hint: emulator.python_hint().to_owned(),
    })
}

/// Folders in which tools keep one folder for each Python that they installed.
struct Folders(Vec<PathBuf>);

impl Folders {
    fn of_this_user() -> Self {
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let home = variable("HOME").unwrap_or_default();
        let pyenv = variable("PYENV_ROOT").unwrap_or_else(|| home.join(".pyenv"));
        let data = variable("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share"));
        let uv = variable("UV_PYTHON_INSTALL_DIR").unwrap_or_else(|| data.join("uv/python"));
        Self(vec![pyenv.join("versions"), uv])
    }
}

/// Names on the path first, then whatever version managers installed: their shim on the path may refuse to run.
fn candidates(folders: &Folders) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = [
        "python3",
        "python3.13",
        "python3.12",
        "python3.11",
        "python3.10",
        "python",
    ]
    .map(PathBuf::from)
    .to_vec();
    for folder in &folders.0 {
        let mut installed: Vec<PathBuf> = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|version| version.path().join("bin/python3"))
            .filter(|python| python.is_file())
            .collect();
        installed.sort();
        found.extend(installed.into_iter().rev());
    }
    found
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
        assert!(version("3.9") < version("3.10"));
        assert_eq!(version("Python"), None);
    }

    /// A program that answers the probe with `text` and ends with `status`.
    fn program(folder: &Path, version: &str, text: &str, status: u8) {
        use std::os::unix::fs::PermissionsExt as _;
        let bin = folder.join(version).join("bin");
        std::fs::create_dir_all(&bin).expect("a folder");
        let python = bin.join("python3");
        let script = format!("#!/bin/sh\necho {text}\nexit {status}\n");
        std::fs::write(&python, script).expect("a script");
        std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755))
            .expect("executable");
    }

    #[test]
    fn a_python_is_one_that_runs() {
        let folder = tempfile::tempdir().expect("a folder");
        let (pyenv, uv) = (folder.path().join("pyenv"), folder.path().join("uv"));
        program(&pyenv, "3.13.9", "3.13", 127); // says the right thing and fails
        program(&pyenv, "3.12.1", "3.12", 0);
        program(&uv, "cpython-3.13.0-linux", "3.13", 0);
        std::fs::create_dir_all(uv.join(".temp")).expect("a folder without a Python");
        let found: Vec<PathBuf> = candidates(&Folders(vec![pyenv.clone(), uv.clone()]))
            .into_iter()
            .filter(|python| python.starts_with(folder.path()))
            .collect();
        let (failing, older, good) = (
            pyenv.join("3.13.9/bin/python3"),
            pyenv.join("3.12.1/bin/python3"),
            uv.join("cpython-3.13.0-linux/bin/python3"),
        );
        assert_eq!(found, [failing.clone(), older.clone(), good.clone()]);
        assert_eq!(choose(Emulator::Localstack, found.clone()), Ok(good));
        assert_eq!(choose(Emulator::Ministack, found), Ok(older.clone()));
        let missing = choose(Emulator::Localstack, vec![failing, older]).expect_err("none fits");
        assert!(missing.found.contains("is 3.12"), "{missing}");
        assert!(missing.hint.contains("pyenv install 3.13"), "{missing}");
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
