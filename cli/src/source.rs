//! The document as the user has it: read, inflated, parsed here first, so that its problems show at once.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use foreshard_engine::parse::{self, Library, Parsed};
use foreshard_model::limits::{INLINE_DOCUMENT_BYTES, UPLOADED_DOCUMENT_BYTES};
use foreshard_model::problem::Problem;

use crate::exit::CliError;

/// A document and what it says.
#[derive(Debug)]
pub struct Source {
    /// Where it was read from.
    pub path: PathBuf,
    /// Its text as it is in the file, gzipped or not.
    pub raw: Vec<u8>,
    /// Its text, inflated.
    pub text: Vec<u8>,
    /// Workflows that it refers to by name and version: only the deployment knows them.
    pub references: Vec<(String, String)>,
}

impl Source {
    /// Reads a document; gzipped ones as they are.
    ///
    /// # Errors
    /// [`CliError::File`] when it cannot be read, [`CliError::Argument`] when it is larger than any upload may be.
    pub fn read(path: &Path) -> Result<Self, CliError> {
        let failed = |source| CliError::File {
            doing: "read",
            path: path.display().to_string(),
            source,
        };
        let raw = std::fs::read(path).map_err(failed)?;
        let text = if raw.starts_with(&[0x1f, 0x8b]) {
            let mut text = Vec::new();
            MultiGzDecoder::new(raw.as_slice())
                .take(UPLOADED_DOCUMENT_BYTES + 1)
                .read_to_end(&mut text)
                .map_err(failed)?;
            text
        } else {
            raw.clone()
        };
        if text.len() as u64 > UPLOADED_DOCUMENT_BYTES {
            let text = format!(
                "`{}` is larger than {UPLOADED_DOCUMENT_BYTES} bytes",
                path.display()
            );
            return Err(CliError::Argument(text));
        }
        let references = if text.len() > INLINE_DOCUMENT_BYTES {
            Vec::new()
        } else {
            parse::references(&text)
        };
        Ok(Self {
            path: path.to_path_buf(),
            raw,
            text,
            references,
        })
    }

    /// Whether it fits into a request.
    #[must_use]
    pub fn is_inline(&self) -> bool {
        self.text.len() <= INLINE_DOCUMENT_BYTES
    }

    /// Parses it with the workflows that it refers to.
    ///
    /// # Errors
    /// [`CliError::Document`] with all of its problems.
    pub fn parse(&self, library: &Library) -> Result<Parsed, CliError> {
        let parsed = if self.is_inline() {
            parse::document(&self.text, library)
        } else {
            parse::stream(self.text.as_slice(), library)
        };
        parsed.map_err(|problems| CliError::Document {
            name: self.path.display().to_string(),
            text: String::from_utf8_lossy(&self.text).into_owned(),
            problems,
        })
    }

    /// The folder of a bundle, as the document names it.
    #[must_use]
    pub fn folder_of(&self, bundle: &str) -> PathBuf {
        self.path
            .parent()
            .unwrap_or_else(|| Path::new("."))
            .join(bundle)
    }
}

/// Reads a small file of another kind: a pool, an outlook, a calendar.
///
/// # Errors
/// [`CliError::File`] when it cannot be read, [`CliError::Document`] with all of its problems.
pub fn written<T>(
    file: &Path,
    read: impl FnOnce(&[u8]) -> Result<T, Vec<Problem>>,
) -> Result<T, CliError> {
    let path = file.display().to_string();
    let bytes = std::fs::read(file).map_err(|source| CliError::File {
        doing: "read",
        path: path.clone(),
        source,
    })?;
    read(&bytes).map_err(|problems| CliError::Document {
        name: path,
        text: String::from_utf8(bytes).unwrap_or_default(),
        problems,
    })
}
