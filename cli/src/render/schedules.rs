//! Schedules as tables and one by one.

use foreshard_model::schedule_api::{BackfillTime, ScheduleView};

use super::runs::when;

/// A list of schedules.
#[must_use]
pub fn table(views: &[ScheduleView]) -> String {
    let mut text = format!(
        "{:<32}{:<24}{:<32}{:<22}{}\n",
        "SCHEDULE", "WORKFLOW", "WHEN", "NEXT", "MISSED"
    );
    for view in views {
        let workflow = format!("{}@{}", view.workflow, view.version);
        let timing = timing(view);
        text.push_str(&format!(
            "{:<32}{workflow:<24}{timing:<32}{:<22}{}\n",
            view.name,
            next(view),
            view.missed.len()
        ));
    }
    text
}

/// One schedule, for people.
#[must_use]
pub fn describe(view: &ScheduleView) -> String {
    let mut lines = vec![
        format!("schedule  {}", view.name),
        format!("workflow  {}@{}", view.workflow, view.version),
        format!("when      {}", timing(view)),
        format!(
            "policy    overlap {}, catch up {}",
            view.overlap.as_str(),
            if view.catch_up { "yes" } else { "no" }
        ),
        format!("next      {}", next(view)),
    ];
    if let Some(start) = view.start {
        lines.push(format!("start     {}", when(start)));
    }
    if let Some(end) = view.end {
        lines.push(format!("end       {}", when(end)));
    }
    if view.declared {
        lines.push("declared  by its workflow's document: change it there".to_owned());
    }
    for firing in &view.recent {
        let (word, because) = firing.outcome.parts();
        let run = firing.outcome.run().map_or("-", |run| run.as_str());
        lines.push(format!(
            "{:<10}{}  {run:<24}{because}",
            word,
            when(firing.time)
        ));
    }
    if let (Some(first), Some(last)) = (view.missed.first(), view.missed.last()) {
        lines.push(format!(
            "missed    {} from {} to {}: `foreshard schedule backfill {}`",
            view.missed.len(),
            when(*first),
            when(*last),
            view.name
        ));
    }
    lines.join("\n")
}

/// What a backfill did.
#[must_use]
pub fn backfilled(times: &[BackfillTime]) -> String {
    let mut text = format!("{:<22}{:<10}{}\n", "TIME", "STATUS", "RUN");
    for time in times {
        let because = time.because.as_deref().unwrap_or_default();
        text.push_str(&format!(
            "{:<22}{:<10}{}  {because}",
            when(time.time),
            time.status.as_str(),
            time.run
        ));
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

fn timing(view: &ScheduleView) -> String {
    match view.timezone.as_str() {
        "UTC" => view.expression.clone(),
        zone => format!("{} {zone}", view.expression),
    }
}

fn next(view: &ScheduleView) -> String {
    match view.next.first() {
        Some(next) => when(*next),
        None if view.paused => "paused".to_owned(),
        None => "never".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use foreshard_model::schedule::{Firing, Outcome};
    use foreshard_model::schedule_api::BackfillStatus;
    use foreshard_model::units::TimeMs;

    fn view() -> ScheduleView {
        ScheduleView {
            name: "etl.nightly".to_owned(),
            workflow: "etl".to_owned(),
            version: "3".to_owned(),
            declared: true,
            expression: "cron(0 2 * * ? *)".to_owned(),
            timezone: "Europe/Berlin".to_owned(),
            next: vec![TimeMs(1_767_229_200_000)],
            missed: vec![TimeMs(1_767_056_400_000)],
            recent: vec![Firing {
                time: TimeMs(1_767_142_800_000),
                decided_at: TimeMs(1_767_142_800_300),
                outcome: Outcome::Started {
                    run: "r-aaaaaaaaaaaaaaaaaaaa".into(),
                    because: "etl@3".to_owned(),
                },
            }],
            ..ScheduleView::default()
        }
    }

    #[test]
    fn schedules_are_shown() {
        insta::assert_snapshot!(table(&[view()]), @r"
        SCHEDULE                        WORKFLOW                WHEN                            NEXT                  MISSED
        etl.nightly                     etl@3                   cron(0 2 * * ? *) Europe/Berlin 2026-01-01 01:00:00Z  1
        ");
        insta::assert_snapshot!(describe(&view()), @r"
        schedule  etl.nightly
        workflow  etl@3
        when      cron(0 2 * * ? *) Europe/Berlin
        policy    overlap allow, catch up no
        next      2026-01-01 01:00:00Z
        declared  by its workflow's document: change it there
        started   2025-12-31 01:00:00Z  r-aaaaaaaaaaaaaaaaaaaa  etl@3
        missed    1 from 2025-12-30 01:00:00Z to 2025-12-30 01:00:00Z: `foreshard schedule backfill etl.nightly`
        ");
        let done = BackfillTime {
            time: TimeMs(1_767_056_400_000),
            run: "r-aaaaaaaaaaaaaaaaaaaa".into(),
            status: BackfillStatus::Started,
            because: None,
        };
        insta::assert_snapshot!(backfilled(&[done]), @r"
        TIME                  STATUS    RUN
        2025-12-30 01:00:00Z  started   r-aaaaaaaaaaaaaaaaaaaa
        ");
    }
}
