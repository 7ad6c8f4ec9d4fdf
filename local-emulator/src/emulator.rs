//! The emulators that there are, and what differs between them, as data.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::home::Home;

/// An emulator of AWS that runs on this machine without Docker.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Emulator {
    /// Small, quick and faithful where Foreshard needs it.
    #[default]
    Ministack,
    /// Widely used; its last release that asks for no account.
    Localstack,
}

/// A name that no emulator has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no emulator `{0}`: there are `ministack` and `localstack`")]
pub struct NoEmulator(String);

impl Emulator {
    /// All of them, the default first.
    pub const ALL: [Self; 2] = [Self::Ministack, Self::Localstack];
    /// Variable that names the one to use.
    pub const VARIABLE: &'static str = "FORESHARD_EMULATOR";

    /// The one that the variable names, the default without it: for tests, which have no command line of their own.
    ///
    /// # Errors
    /// [`NoEmulator`] for any other name.
    pub fn of_environment() -> Result<Self, NoEmulator> {
        std::env::var(Self::VARIABLE).map_or_else(|_| Ok(Self::default()), |name| name.parse())
    }

    /// Its name, as people type it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ministack => "ministack",
            Self::Localstack => "localstack",
        }
    }

    /// Its name, as people read it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Ministack => "MiniStack",
            Self::Localstack => "LocalStack",
        }
    }

    /// What runs beside it: LocalStack's own DynamoDB would be a download for Java, so it hands requests to MiniStack's.
    #[must_use]
    pub const fn companion(self) -> Option<Self> {
        match self {
            Self::Ministack => None,
            Self::Localstack => Some(Self::Ministack),
        }
    }

    /// Python module that hosts it.
    pub(crate) const fn module(self) -> &'static str {
        match self {
            Self::Ministack => "foreshard_host",
            Self::Localstack => "foreshard_localstack",
        }
    }

    /// Folder of that module, of its tests and of its lock file.
    #[must_use]
    pub fn folder(self, home: &Home) -> PathBuf {
        home.root.join("local-emulator").join(self.name())
    }

    /// Whether the module must be installed, because the emulator finds it by its entry points.
    pub(crate) const fn is_package(self) -> bool {
        matches!(self, Self::Localstack)
    }

    /// Whether it runs on this version of Python.
    pub(crate) fn takes_python(self, version: (u32, u32)) -> bool {
        match self {
            Self::Ministack => version >= (3, 10),
            Self::Localstack => version == (3, 13),
        }
    }

    /// The versions of Python that it runs on, in words.
    pub(crate) const fn python_title(self) -> &'static str {
        match self {
            Self::Ministack => "Python 3.10 or later with venv",
            Self::Localstack => "Python 3.13 with venv, for LocalStack",
        }
    }

    /// How to get such a Python.
    pub(crate) const fn python_hint(self) -> &'static str {
        match self {
            Self::Ministack => "install python3 and python3-venv with your package manager",
            Self::Localstack => {
                "`uv python install 3.13`, or `pyenv install 3.13`; the default emulator does without"
            }
        }
    }

    /// How long it may take to answer: MiniStack needs two seconds, LocalStack twelve of a core's.
    pub(crate) const fn start_limit(self) -> Duration {
        match self {
            Self::Ministack => Duration::from_secs(60),
            Self::Localstack => Duration::from_secs(300),
        }
    }

    /// Address of a REST API there.
    pub(crate) fn api(self, endpoint: &str, id: &str, stage: &str) -> String {
        match self {
            Self::Ministack => format!("{endpoint}/restapis/{id}/{stage}/_user_request_"),
            Self::Localstack => format!("{endpoint}/_aws/execute-api/{id}/{stage}"),
        }
    }

    /// Variables of every function there: LocalStack's EventBridge Scheduler never fires, its rules do.
    pub(crate) const fn function_variables(self) -> &'static [&'static str] {
        match self {
            Self::Ministack => &[],
            Self::Localstack => &["FORESHARD_SCHEDULES=rules"],
        }
    }
}

impl fmt::Display for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Emulator {
    type Err = NoEmulator;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|each| each.name() == text);
        found.ok_or_else(|| NoEmulator(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_shown() {
        for each in Emulator::ALL {
            assert_eq!(each.to_string().parse(), Ok(each));
        }
        let error = "moto".parse::<Emulator>().expect_err("not ours");
        assert_eq!(
            error.to_string(),
            "there is no emulator `moto`: there are `ministack` and `localstack`"
        );
    }

    #[test]
    fn localstack_takes_one_version_of_python_only() {
        let taken = |each: Emulator| {
            [(3, 9), (3, 10), (3, 12), (3, 13), (3, 14)].map(|version| each.takes_python(version))
        };
        assert_eq!(taken(Emulator::Ministack), [false, true, true, true, true]);
        assert_eq!(
            taken(Emulator::Localstack),
            [false, false, false, true, false]
        );
    }
}
