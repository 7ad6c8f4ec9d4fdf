//! `simulate`: runs documents in virtual time, without a deployment.

use foreshard_simulator::{Form, Simulate, simulate as figures};

use crate::args::{Arguments, Format};
use crate::exit::{CliError, Exit};
use crate::render::{data, say};

/// Prints what the runs took and cost.
///
/// # Errors
/// A file that cannot be read or is refused, and a run that can neither go on nor end.
pub fn simulate(arguments: &Arguments, wanted: &Simulate) -> Result<Exit, CliError> {
    let form = match arguments.format {
        Format::Text => Form::Text,
        Format::Json => Form::Json,
        Format::Svg => Form::Svg,
        Format::Dot => {
            let message = "`simulate` prints text, JSON or SVG".to_owned();
            return Err(CliError::Argument(message));
        }
    };
    let told = figures(wanted, form).map_err(|error| CliError::Argument(error.to_string()))?;
    told.notes.iter().for_each(|note| say(note));
    data(&told.text);
    Ok(Exit::Success)
}
