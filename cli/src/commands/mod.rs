//! One file for each command that does more than one request.

mod emulator;
mod events;
mod forecast;
mod import;
mod list;
mod manage;
mod plan;
mod prewarm;
mod run;
mod schedule;
mod simulate;
mod validate;
mod watch;
mod workflows;

use foreshard_bench::Bench;

use crate::args::{Arguments, Command, Format};
use crate::exit::{CliError, Exit};
use crate::render;

/// Carries out one command.
///
/// # Errors
/// Whatever stopped it; [`CliError::exit`] is the exit code.
pub async fn carry_out(arguments: &Arguments) -> Result<Exit, CliError> {
    match &arguments.command {
        Command::Up(up) => emulator::up(arguments, up),
        Command::Down => emulator::down(arguments),
        Command::Doctor(which) => emulator::doctor(arguments, *which),
        Command::Run(run) => run::run(arguments, run).await,
        Command::Plan(plan) => plan::plan(arguments, plan).await,
        Command::Simulate(wanted) => simulate::simulate(arguments, wanted),
        Command::Validate(validate) => validate::validate(arguments, validate).await,
        Command::Import(wanted) => import::import(arguments, wanted),
        Command::Forecast(wanted) => forecast::forecast(arguments, wanted),
        Command::Prewarm(wanted) => prewarm::prewarm(arguments, *wanted).await,
        Command::Openapi => {
            render::json(&foreshard_stages::submit::openapi());
            Ok(Exit::Success)
        }
        Command::Schema => {
            render::json(&foreshard_engine::parse::schema());
            Ok(Exit::Success)
        }
        Command::Register(document) => workflows::register(arguments, document).await,
        Command::Workflows(wanted) => workflows::workflows(arguments, wanted).await,
        Command::Status(one) => manage::status(arguments, one).await,
        Command::List(list) => list::list(arguments, list).await,
        Command::Result(one) => manage::result(arguments, one).await,
        Command::Events(events) => events::events(arguments, events).await,
        Command::Cancel(one) => manage::cancel(arguments, one).await,
        Command::Pause(one) => manage::pause(arguments, one).await,
        Command::Resume(resume) => manage::resume(arguments, resume).await,
        Command::Logs(logs) => manage::logs(arguments, logs).await,
        Command::Schedule(command) => schedule::carry_out(arguments, command).await,
        Command::Bench(bench) => measure(arguments, bench),
    }
}

fn measure(arguments: &Arguments, bench: &Bench) -> Result<Exit, CliError> {
    let text = foreshard_bench::run(bench, arguments.format == Format::Json)
        .map_err(|error| CliError::Argument(error.to_string()))?;
    render::data(&text);
    Ok(Exit::Success)
}
