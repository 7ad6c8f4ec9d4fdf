//! Schedules: written by version, listed by name, found when they are due; and the timers that wake submit.

use std::sync::Arc;

use foreshard_model::schedule::{Firing, Outcome, ScheduleItem, Submission, Timing};
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{PortError, Timer};

use crate::adapters::Adapters;

fn item(tenant: &str, name: &str) -> ScheduleItem {
    ScheduleItem {
        tenant: tenant.into(),
        name: name.to_owned(),
        version: 1,
        workflow: "etl".to_owned(),
        workflow_version: "1".to_owned(),
        timing: Timing {
            expression: "cron(0 2 * * ? *)".to_owned(),
            timezone: "Europe/Berlin".to_owned(),
            start: Some(TimeMs(1_767_225_600_000)),
            end: None,
            anchor: TimeMs(1_767_225_600_000),
        },
        submission: Submission {
            input: Some(r#"{"large": 12345678901234567890, "small": 1e300}"#.to_owned()),
            ..Submission::default()
        },
        last: Some(TimeMs(1_767_229_200_000)),
        recent: vec![
            Firing {
                time: TimeMs(1_767_225_600_000),
                decided_at: TimeMs(1_767_225_600_001),
                outcome: Outcome::Started {
                    run: "r-a".into(),
                    because: "etl@1".to_owned(),
                },
            },
            Firing {
                time: TimeMs(1_767_229_200_000),
                decided_at: TimeMs(1_767_229_200_001),
                outcome: Outcome::Skipped {
                    because: "run `r-a` is running".to_owned(),
                },
            },
        ],
        ..ScheduleItem::default()
    }
}

pub async fn a_schedule_is_written_by_version(on: Arc<Adapters>) {
    let first = item("versions", "nightly");
    assert_eq!(on.schedules.schedule(&first.key()).await, Ok(None));
    on.schedule_writes.put_schedule(&first, None).await.unwrap();
    assert_eq!(
        on.schedules.schedule(&first.key()).await,
        Ok(Some(first.clone()))
    );
    let again = on.schedule_writes.put_schedule(&first, None).await;
    assert!(matches!(again, Err(PortError::Conflict(_))), "{again:?}");
    let second = ScheduleItem {
        version: 2,
        paused: true,
        ..first.clone()
    };
    on.schedule_writes
        .put_schedule(&second, None)
        .await
        .unwrap();
    let stale = on.schedule_writes.delete_schedule(&first).await;
    assert!(matches!(stale, Err(PortError::Conflict(_))), "{stale:?}");
    for _ in 0..2 {
        on.schedule_writes.delete_schedule(&second).await.unwrap();
        assert_eq!(on.schedules.schedule(&first.key()).await, Ok(None));
    }
    let orphan = ScheduleItem {
        version: 3,
        ..first.clone()
    };
    let late = on.schedule_writes.put_schedule(&orphan, None).await;
    assert!(
        matches!(late, Err(PortError::Conflict(_))),
        "what is deleted does not come back: {late:?}"
    );
}

pub async fn schedules_are_listed_by_name_in_pages(on: Arc<Adapters>) {
    let names = ["etl.a", "etl.b", "etl.c", "other"];
    for name in names {
        let item = item("lister-of-schedules", name);
        on.schedule_writes.put_schedule(&item, None).await.unwrap();
    }
    let stranger = item("somebody-else", "etl.b");
    on.schedule_writes
        .put_schedule(&stranger, None)
        .await
        .unwrap();
    for (prefix, expected) in [("", &names[..]), ("etl.", &names[..3]), ("none", &[])] {
        let (mut seen, mut after) = (Vec::new(), None::<String>);
        loop {
            let tenant = "lister-of-schedules".into();
            let page = on
                .schedules
                .schedules_of(&tenant, prefix, 2, after.as_deref())
                .await
                .unwrap();
            assert!(page.items.len() <= 2);
            seen.extend(page.items.into_iter().map(|item| item.name));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected, "`{prefix}`");
    }
}

pub async fn what_is_due_is_found_until_it_is_looked_after(on: Arc<Adapters>) {
    let due = async |now| {
        let (mut names, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = on
                .schedules
                .due_schedules(TimeMs(now), after.as_deref())
                .await
                .unwrap();
            let mine = page
                .items
                .into_iter()
                .filter(|key| key.tenant.as_str() == "due");
            names.extend(mine.map(|key| key.name));
            after = page.next;
            if after.is_none() {
                return names;
            }
        }
    };
    for n in 1..=5 {
        let item = item("due", &format!("s-{n}"));
        let at = Some(TimeMs(n * 1_000));
        on.schedule_writes.put_schedule(&item, at).await.unwrap();
    }
    assert_eq!(due(999).await, Vec::<String>::new());
    assert_eq!(due(4_000).await, ["s-1", "s-2", "s-3", "s-4"]);
    let later = ScheduleItem {
        version: 2,
        ..item("due", "s-2")
    };
    on.schedule_writes
        .put_schedule(&later, Some(TimeMs(9_000)))
        .await
        .unwrap();
    let never = ScheduleItem {
        version: 2,
        ..item("due", "s-3")
    };
    on.schedule_writes.put_schedule(&never, None).await.unwrap();
    on.schedule_writes
        .delete_schedule(&item("due", "s-1"))
        .await
        .unwrap();
    assert_eq!(due(5_000).await, ["s-4", "s-5"]);
}

pub async fn a_timer_is_set_and_removed_however_often(on: Arc<Adapters>) {
    let timer = Timer {
        key: item("timers", "nightly").key(),
        expression: "cron(0 2 * * ? *)".to_owned(),
        timezone: "Europe/Berlin".to_owned(),
        start: None,
        end: Some(TimeMs(4_102_444_800_000)),
        enabled: true,
    };
    for timers in &on.timers {
        timers.remove(&timer.key).await.unwrap();
        for enabled in [true, true, false] {
            let timer = Timer {
                enabled,
                ..timer.clone()
            };
            timers.set(&timer).await.unwrap();
        }
        timers.remove(&timer.key).await.unwrap();
        timers.remove(&timer.key).await.unwrap();
    }
}
