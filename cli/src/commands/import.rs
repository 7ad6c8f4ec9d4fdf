//! `import`: makes a workflow of a Step Functions definition, and says what became of each state.

use std::collections::BTreeMap;
use std::path::Path;

use foreshard_engine::asl::{self, Import, Options, Outcome};
use foreshard_engine::parse::{self, Library};

use crate::args::{Arguments, Format, Import as Wanted};
use crate::commands::run::read_input;
use crate::exit::{CliError, Exit};
use crate::render::{data, imports, json, say};
use crate::source::Source;

/// Imports a definition. The workflow goes to standard output or to a file, the table of states to standard error; with
/// `--format json` both are one object on standard output.
///
/// # Errors
/// A file that cannot be read or written, a text that is no definition, arguments that cannot be used.
pub fn import(arguments: &Arguments, wanted: &Wanted) -> Result<Exit, CliError> {
    let source = Source::read(&wanted.file)?;
    let name = source.path.display().to_string();
    let in_document = |text: &[u8], problems| CliError::Document {
        name: name.clone(),
        text: String::from_utf8_lossy(text).into_owned(),
        problems,
    };
    let options = options(wanted)?;
    let import = asl::import(&source.text, &options)
        .map_err(|problems| in_document(&source.text, problems))?;
    let differs = wanted.strict && import.outcome() != Outcome::Imported;
    let document = import.document.as_ref().filter(|_| !differs);
    if let Some(text) = document {
        // What was made is a document like any other: it is read before it is given out.
        parse::document(text.as_bytes(), &Library::new())
            .map_err(|problems| in_document(text.as_bytes(), problems))?;
    }
    match (document, &wanted.out) {
        (Some(text), Some(path)) => {
            std::fs::write(path, text).map_err(|source| CliError::File {
                doing: "write",
                path: path.display().to_string(),
                source,
            })?
        }
        (Some(text), None) if arguments.format != Format::Json => data(text),
        _ => {}
    }
    if arguments.format == Format::Json {
        json(&import);
    } else {
        say(&imports::table(&import));
    }
    Ok(exit(&import, differs))
}

fn exit(import: &Import, differs: bool) -> Exit {
    if import.document.is_none() || differs {
        Exit::BadInput
    } else {
        Exit::Success
    }
}

fn options(wanted: &Wanted) -> Result<Options, CliError> {
    let mut values = BTreeMap::new();
    for pair in &wanted.values {
        let Some((name, value)) = pair.split_once('=') else {
            let text =
                format!("--set {pair}: a name and a value are wanted, such as --set Table=orders");
            return Err(CliError::Argument(text));
        };
        values.insert(name.to_owned(), value.to_owned());
    }
    let name = wanted
        .name
        .clone()
        .unwrap_or_else(|| named_after(&wanted.file));
    Ok(Options {
        name: Some(name),
        values,
        input: wanted.input.as_deref().map(read_input).transpose()?,
        map_items: wanted.map_items.map(usize::from),
        services: wanted.services.clone(),
    })
}

/// A workflow's name from that of a file: `Order Flow.asl.json` gives `order-flow`.
fn named_after(file: &Path) -> String {
    let name = file.file_name().and_then(|name| name.to_str());
    let stem = name
        .and_then(|name| name.split('.').next())
        .unwrap_or_default();
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let name: String = stem.chars().map(plain).take(64).collect();
    match name.trim_matches('-') {
        "" => "imported".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_is_named_after_its_file() {
        let table = [
            ("a/Order Flow.asl.json", "order-flow"),
            ("statemachine.json", "statemachine"),
            ("…", "imported"),
        ];
        for (file, expected) in table {
            assert_eq!(named_after(Path::new(file)), expected);
        }
    }
}
