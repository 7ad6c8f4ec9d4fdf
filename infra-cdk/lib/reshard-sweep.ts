/** Wakes reshard each minute, so that whatever was lost is found without a person. */
import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import type { DeadLetters } from './dead-letters';
import type { StageFunction } from './stage-function';

/** EventBridge's shortest rate. */
const EVERY = Duration.minutes(1);

export interface ReshardSweepProps {
  readonly name: string;
  readonly reshard: StageFunction;
  readonly deadLetters: DeadLetters;
}

/**
 * Rule that starts the sweep. A sweep that fails is not tried again: the next one sees the same and more. What failed, or
 * could not be started at all, ends in the dead letters, and an alarm says so.
 */
export class ReshardSweep extends Construct {
  constructor(scope: Construct, id: string, props: ReshardSweepProps) {
    super(scope, id);
    const reshard = props.reshard.function;
    reshard.configureAsyncInvoke({
      retryAttempts: 0,
      maxEventAge: EVERY,
      onFailure: props.deadLetters.asDestination(),
    });
    for (const statement of props.deadLetters.statements()) {
      reshard.addToRolePolicy(statement);
    }
    new events.Rule(this, 'Rule', {
      ruleName: `${props.name}-sweep`,
      description: 'Foreshard: release, wake and restart what was lost',
      schedule: events.Schedule.rate(EVERY),
      targets: [
        new targets.LambdaFunction(reshard, {
          // Some emulators deliver a constant input only if it has an `id`.
          event: events.RuleTargetInput.fromObject({ id: 'sweep' }),
          retryAttempts: 0,
          maxEventAge: EVERY,
          deadLetterQueue: props.deadLetters,
        }),
      ],
    });
  }
}
