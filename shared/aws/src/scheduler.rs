//! EventBridge Scheduler: one schedule of the deployment's group wakes submit for each schedule of ours.

use async_trait::async_trait;
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode,
    RetryPolicy, ScheduleState, Target,
};
use aws_smithy_types::DateTime;
use foreshard_model::schedule::{LATENESS_MS, ScheduleCall, ScheduleEvent, ScheduleKey};
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{PortError, PortResult, Timer, Timers};

use crate::classify::port_error;
use crate::dynamodb::unbuilt;
use crate::fault;
use crate::sdk::Aws;

/// What the service puts the scheduled time in the place of. Source: EventBridge Scheduler, "Adding context attributes".
const SCHEDULED_TIME: &str = "<aws.scheduler.scheduled-time>";

/// Characters of a name; the service takes 64, and 130 bits are enough.
const NAME_DIGITS: usize = 26;

/// How often the service tries to hand an event to submit: with its growing waits, within the hour that follows.
const RETRIES: i32 = 20;

/// Where the schedules are, and what they wake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wiring {
    /// The deployment's schedule group.
    pub group: String,
    /// ARN of the function that is woken.
    pub target: String,
    /// ARN of the role that the service assumes for it.
    pub role: String,
    /// ARN of the queue for events that could not be handed over.
    pub dead_letters: Option<String>,
}

/// The deployment's schedule group.
#[derive(Debug, Clone)]
pub struct SchedulerTimers {
    client: Client,
    wiring: Wiring,
}

impl SchedulerTimers {
    /// The group that the wiring names.
    #[must_use]
    pub fn new(aws: &Aws, wiring: Wiring) -> Self {
        Self {
            client: Client::new(aws.shared()),
            wiring,
        }
    }

    fn target(&self, key: &ScheduleKey) -> PortResult<Target> {
        let event = ScheduleEvent {
            schedule: ScheduleCall {
                key: key.clone(),
                time: Some(SCHEDULED_TIME.to_owned()),
            },
        };
        let input = serde_json::to_string(&event)
            .map_err(|error| PortError::Refused(format!("{key}: {error}")))?;
        let retry = RetryPolicy::builder()
            .maximum_retry_attempts(RETRIES)
            .maximum_event_age_in_seconds(seconds(LATENESS_MS))
            .build();
        let dead = self.wiring.dead_letters.as_ref();
        Target::builder()
            .arn(&self.wiring.target)
            .role_arn(&self.wiring.role)
            .input(input)
            .retry_policy(retry)
            .set_dead_letter_config(dead.map(|arn| DeadLetterConfig::builder().arn(arn).build()))
            .build()
            .map_err(unbuilt)
    }
}

/// The name of the service's schedule for one of ours.
#[must_use]
pub fn name(key: &ScheduleKey) -> String {
    format!("s-{}", key.short(NAME_DIGITS))
}

fn seconds(ms: u64) -> i32 {
    i32::try_from(ms / 1_000).unwrap_or(i32::MAX)
}

fn date(at: TimeMs) -> DateTime {
    DateTime::from_millis(i64::try_from(at.0).unwrap_or(i64::MAX))
}

#[async_trait]
impl Timers for SchedulerTimers {
    async fn set(&self, timer: &Timer) -> PortResult<()> {
        let (name, what) = (name(&timer.key), format!("timer of {}", timer.key));
        let state = if timer.enabled {
            ScheduleState::Enabled
        } else {
            ScheduleState::Disabled
        };
        let window = FlexibleTimeWindow::builder()
            .mode(FlexibleTimeWindowMode::Off)
            .build()
            .map_err(unbuilt)?;
        let target = self.target(&timer.key)?;
        let update = self
            .client
            .update_schedule()
            .name(&name)
            .group_name(&self.wiring.group)
            .description(timer.key.to_string())
            .schedule_expression(&timer.expression)
            .schedule_expression_timezone(&timer.timezone)
            .set_start_date(timer.start.map(date))
            .set_end_date(timer.end.map(date))
            .state(state.clone())
            .flexible_time_window(window.clone())
            .action_after_completion(ActionAfterCompletion::None)
            .target(target.clone())
            .send();
        match fault::write(update).await {
            Ok(_) => return Ok(()),
            Err(error) => match port_error(&what, &error) {
                PortError::NotFound(_) => {}
                other => return Err(other),
            },
        }
        let create = self
            .client
            .create_schedule()
            .name(&name)
            .group_name(&self.wiring.group)
            .description(timer.key.to_string())
            .schedule_expression(&timer.expression)
            .schedule_expression_timezone(&timer.timezone)
            .set_start_date(timer.start.map(date))
            .set_end_date(timer.end.map(date))
            .state(state)
            .flexible_time_window(window)
            .action_after_completion(ActionAfterCompletion::None)
            .target(target)
            .send();
        match fault::write(create).await {
            Ok(_) => Ok(()),
            Err(error) => match port_error(&what, &error) {
                // Somebody else made it just now.
                PortError::Conflict(_) => Err(PortError::Unavailable(what)),
                other => Err(other),
            },
        }
    }

    async fn remove(&self, key: &ScheduleKey) -> PortResult<()> {
        let call = self
            .client
            .delete_schedule()
            .name(name(key))
            .group_name(&self.wiring.group)
            .send();
        match fault::write(call).await {
            Ok(_) => Ok(()),
            Err(error) => match port_error(&format!("timer of {key}"), &error) {
                PortError::NotFound(_) => Ok(()),
                other => Err(other),
            },
        }
    }
}

/// No timers at all: the deployment's rule, each minute, finds what is due. For services whose own timers never fire.
#[derive(Debug, Clone, Copy, Default)]
pub struct RuleTimers;

#[async_trait]
impl Timers for RuleTimers {
    async fn set(&self, _: &Timer) -> PortResult<()> {
        Ok(())
    }

    async fn remove(&self, _: &ScheduleKey) -> PortResult<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_has_a_short_name_of_its_own_and_names_its_schedule() {
        let key = |name: &str| ScheduleKey {
            tenant: "acme".into(),
            name: name.to_owned(),
        };
        let long = "a".repeat(97);
        assert_eq!(name(&key(&long)).len(), 2 + NAME_DIGITS);
        assert_ne!(name(&key("a")), name(&key("b")));
        let event = ScheduleEvent {
            schedule: ScheduleCall {
                key: key("etl.nightly"),
                time: Some(SCHEDULED_TIME.to_owned()),
            },
        };
        insta::assert_snapshot!(
            serde_json::to_string(&event).unwrap(),
            @r#"{"schedule":{"tenant":"acme","name":"etl.nightly","time":"<aws.scheduler.scheduled-time>"}}"#
        );
    }
}
