//! Where things are: the checkout, and the folder that holds the emulator's state.

use std::path::{Path, PathBuf};

use crate::error::EmulatorError;

/// The checkout and the state folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The checkout: has `infra-cdk` and `local-emulator`.
    pub root: PathBuf,
    /// Record, log and data of one emulator; `<root>/.foreshard` unless told otherwise.
    pub state: PathBuf,
}

impl Home {
    /// The checkout around `start`, or the one that `FORESHARD_HOME` names.
    ///
    /// # Errors
    /// [`EmulatorError::NoHome`] when neither is one.
    pub fn find(start: &Path, named: Option<PathBuf>) -> Result<Self, EmulatorError> {
        let candidates = named
            .into_iter()
            .chain(start.ancestors().map(Path::to_path_buf));
        for root in candidates {
            if root.join("infra-cdk/cdk.json").is_file()
                && root.join("local-emulator/ministack").is_dir()
            {
                let state = root.join(".foreshard");
                return Ok(Self { root, state });
            }
        }
        Err(EmulatorError::NoHome(start.to_path_buf()))
    }

    /// The same checkout with another state folder: a second emulator beside the first. A relative one is of the working
    /// folder of this process; the CDK and the emulators have others.
    #[must_use]
    pub fn with_state(&self, state: PathBuf) -> Self {
        Self {
            root: self.root.clone(),
            state: std::path::absolute(&state).unwrap_or(state),
        }
    }

    /// The CDK app's folder.
    #[must_use]
    pub fn infra(&self) -> PathBuf {
        self.root.join("infra-cdk")
    }

    /// The functions as built.
    #[must_use]
    pub fn artifacts(&self) -> PathBuf {
        self.root.join("target/lambda")
    }

    /// Virtual environments are shared by all emulators of a checkout.
    #[must_use]
    pub fn environments(&self) -> PathBuf {
        self.root.join(".foreshard")
    }

    /// Makes the state folder.
    ///
    /// # Errors
    /// [`EmulatorError::Io`] when the folder cannot be made.
    pub fn create_state(&self) -> Result<(), EmulatorError> {
        std::fs::create_dir_all(&self.state)
            .map_err(EmulatorError::io("cannot create", &self.state))
    }
}
