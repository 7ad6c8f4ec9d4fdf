//! `schedule`: makes, shows, halts and backfills schedules.

use foreshard_aws::client::ApiClient;
use foreshard_model::schedule_api::{
    BackfillRequest, BackfillStatus, ScheduleRequest, ScheduleView,
};

use crate::args::{Arguments, Format};
use crate::commands::{plan, run};
use crate::deployment::{client, upload_bundles};
use crate::exit::{CliError, Exit};
use crate::render::{data, json, say, schedules};
use crate::schedule_args::{Backfill, Create, ListSchedules, ScheduleCommand};
use crate::source::Source;

/// Carries out one of its commands.
///
/// # Errors
/// A refusal, or no answer.
pub async fn carry_out(arguments: &Arguments, command: &ScheduleCommand) -> Result<Exit, CliError> {
    let client = client(arguments).await?;
    let view = match command {
        ScheduleCommand::Create(create) => self::create(arguments, &client, create).await?,
        ScheduleCommand::List(wanted) => return list(arguments, &client, wanted).await,
        ScheduleCommand::Show(one) => client.schedule(&one.name).await?,
        ScheduleCommand::Pause(one) => client.pause_schedule(&one.name).await?,
        ScheduleCommand::Resume(one) => client.resume_schedule(&one.name).await?,
        ScheduleCommand::Delete(one) => {
            let view = client.delete_schedule(&one.name).await?;
            say("deleted");
            view
        }
        ScheduleCommand::Backfill(wanted) => return backfill(arguments, &client, wanted).await,
    };
    if arguments.format == Format::Json {
        json(&view);
    } else {
        data(&schedules::describe(&view));
    }
    Ok(Exit::Success)
}

async fn create(
    arguments: &Arguments,
    client: &ApiClient,
    wanted: &Create,
) -> Result<ScheduleView, CliError> {
    let Some((workflow, version)) = wanted.workflow.split_once('@') else {
        return Err(CliError::Argument(format!(
            "`{}` is not a registered workflow: write it as `name@version`",
            wanted.workflow
        )));
    };
    let mut request = ScheduleRequest {
        workflow: workflow.to_owned(),
        version: version.to_owned(),
        expression: wanted.when.clone(),
        timezone: wanted.timezone.clone(),
        start: wanted.start.clone(),
        end: wanted.end.clone(),
        overlap: wanted.overlap.into(),
        catch_up: wanted.catch_up,
        input: wanted.input.as_deref().map(run::read_input).transpose()?,
        role: wanted.role.clone(),
        ..ScheduleRequest::default()
    };
    if let Some(document) = &wanted.bundles_of {
        let source = Source::read(document)?;
        let parsed = plan::parse(arguments, &source).await?;
        request.bundles = upload_bundles(client, &source, &parsed.bundles).await?;
    }
    Ok(client.put_schedule(&wanted.name, &request).await?)
}

async fn list(
    arguments: &Arguments,
    client: &ApiClient,
    wanted: &ListSchedules,
) -> Result<Exit, CliError> {
    let (mut all, mut after): (Vec<ScheduleView>, Option<String>) = (Vec::new(), None);
    loop {
        let page = client
            .schedules(wanted.workflow.as_deref(), after.as_deref())
            .await?;
        all.extend(page.schedules);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if arguments.format == Format::Json {
        json(&all);
    } else {
        data(&schedules::table(&all));
    }
    Ok(Exit::Success)
}

/// Goes through the window request by request: each looks at so many times as it can start.
async fn backfill(
    arguments: &Arguments,
    client: &ApiClient,
    wanted: &Backfill,
) -> Result<Exit, CliError> {
    let mut request = BackfillRequest {
        from: wanted.from.clone(),
        to: match &wanted.to {
            Some(to) => to.clone(),
            None => jiff::Timestamp::now().to_string(),
        },
        dry_run: wanted.dry_run,
        limit: None,
    };
    let mut times = Vec::new();
    while times.len() < wanted.limit {
        request.limit = u32::try_from(wanted.limit - times.len()).ok();
        let answer = client.backfill(&wanted.name, &request).await?;
        times.extend(answer.times);
        match answer.next {
            Some(next) => request.from = next,
            None => break,
        }
    }
    if arguments.format == Format::Json {
        json(&times);
    } else {
        data(&schedules::backfilled(&times));
    }
    let failed = times.iter().any(|t| t.status == BackfillStatus::Failed);
    Ok(if failed {
        Exit::RunFailed
    } else {
        Exit::Success
    })
}
