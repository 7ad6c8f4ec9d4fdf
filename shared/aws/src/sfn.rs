//! The state machine: one execution for each round of a run, and the tokens of parked lanes.

use async_trait::async_trait;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::ProvideErrorMetadata as _;
use aws_sdk_sfn::types::ExecutionStatus;
use foreshard_model::ids::{Round, RunId};
use foreshard_model::message::PlanRequest;
use foreshard_stages::ports::{ExecutionReads, Executions, LaneTokens, PortError, PortResult};

use crate::classify::port_error;
use crate::fault;
use crate::sdk::Aws;

/// Codes of a token that needs no answer any more. Source: Step Functions API reference, `SendTaskSuccess`.
const ANSWERED: [&str; 3] = ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"];

/// What a woken lane gets: nothing, the state discards it.
const WAKE: &str = "{}";

/// Name of a round's execution; it makes starting idempotent.
#[must_use]
pub fn execution_name(run: &RunId, round: Round) -> String {
    format!("{run}-{round}")
}

/// The deployment's state machine.
#[derive(Debug, Clone)]
pub struct StepFunctionsMachine {
    client: Client,
    arn: String,
}

impl StepFunctionsMachine {
    /// The state machine with this ARN.
    #[must_use]
    pub fn new(aws: &Aws, arn: impl Into<String>) -> Self {
        Self {
            client: Client::new(aws.shared()),
            arn: arn.into(),
        }
    }

    /// `arn:…:stateMachine:<machine>` to `arn:…:execution:<machine>:<name>`.
    fn execution_arn(&self, run: &RunId, round: Round) -> String {
        let machine = self.arn.replacen(":stateMachine:", ":execution:", 1);
        format!("{machine}:{}", execution_name(run, round))
    }
}

#[async_trait]
impl Executions for StepFunctionsMachine {
    async fn start(&self, run: &RunId, round: Round) -> PortResult<()> {
        let name = execution_name(run, round);
        let request = PlanRequest {
            run: run.clone(),
            round,
        };
        let input = serde_json::to_string(&request)
            .map_err(|error| PortError::Refused(format!("input of {name}: {error}")))?;
        let call = self
            .client
            .start_execution()
            .state_machine_arn(&self.arn)
            .name(&name)
            .input(input)
            .send();
        match fault::write(call).await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|e| e.is_execution_already_exists()) =>
            {
                Ok(())
            }
            Err(error) => Err(port_error(&format!("execution {name}"), &error)),
        }
    }
}

#[async_trait]
impl ExecutionReads for StepFunctionsMachine {
    async fn is_open(&self, run: &RunId, round: Round) -> PortResult<Option<bool>> {
        let answer = self
            .client
            .describe_execution()
            .execution_arn(self.execution_arn(run, round))
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(Some(matches!(
                answer.status,
                ExecutionStatus::Running | ExecutionStatus::PendingRedrive
            ))),
            Err(error) => {
                let what = format!("execution {}", execution_name(run, round));
                match port_error(&what, &error) {
                    PortError::NotFound(_) => Ok(None),
                    other => Err(other),
                }
            }
        }
    }
}

/// The tokens of parked lanes.
#[derive(Debug, Clone)]
pub struct StepFunctionsTokens {
    client: Client,
}

impl StepFunctionsTokens {
    /// The tokens of the account and region.
    #[must_use]
    pub fn new(aws: &Aws) -> Self {
        Self {
            client: Client::new(aws.shared()),
        }
    }
}

#[async_trait]
impl LaneTokens for StepFunctionsTokens {
    async fn answer(&self, token: &str) -> PortResult<bool> {
        let call = self
            .client
            .send_task_success()
            .task_token(token)
            .output(WAKE)
            .send();
        match fault::write(call).await {
            Ok(_) => Ok(true),
            Err(error) => {
                let code = error.as_service_error().and_then(|e| e.code());
                if code.is_some_and(|code| ANSWERED.contains(&code)) {
                    Ok(false)
                } else {
                    // The token is a secret of a kind: it is not named.
                    Err(port_error("token of a parked lane", &error))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdk::Credentials;

    #[test]
    fn an_execution_is_found_by_the_machines_arn() {
        let aws = Aws::new(
            "eu-west-1",
            None,
            Credentials::new("a", "b", None, None, "test"),
        );
        let machine = StepFunctionsMachine::new(
            &aws,
            "arn:aws:states:eu-west-1:111122223333:stateMachine:foreshard",
        );
        let run: RunId = "r-aaaabbbbccccddddeeee".into();
        assert_eq!(
            machine.execution_arn(&run, Round(2)),
            "arn:aws:states:eu-west-1:111122223333:execution:foreshard:r-aaaabbbbccccddddeeee-2"
        );
    }
}
