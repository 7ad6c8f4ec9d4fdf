/** Wakes a stage each minute: reshard, so that whatever was lost is found, and prewarm, so that what is known is acted on. */
import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import type { DeadLetters } from './dead-letters';
import type { StageFunction } from './stage-function';

/** EventBridge's shortest rate. */
const EVERY = Duration.minutes(1);

/** What is done each minute. */
export interface Errand {
  /** Last part of the rule's name, and the `id` in its input. */
  readonly id: string;
  readonly description: string;
}

/** Heals runs. */
export const SWEEP: Errand = { id: 'sweep', description: 'Foreshard: release, wake and restart what was lost' };
/** Decides provisioned concurrency. */
export const PREWARM: Errand = {
  id: 'prewarm',
  description: 'Foreshard: provision what is about to be used, or nothing',
};

export interface EachMinuteProps extends Errand {
  readonly name: string;
  readonly stage: StageFunction;
  readonly deadLetters: DeadLetters;
}

/**
 * Rule that starts a stage. One that fails is not tried again: the next one sees the same and more. What failed, or could not
 * be started at all, ends in the dead letters, and an alarm says so.
 */
export class EachMinute extends Construct {
  constructor(scope: Construct, id: string, props: EachMinuteProps) {
    super(scope, id);
    const stage = props.stage.function;
    stage.configureAsyncInvoke({
      retryAttempts: 0,
      maxEventAge: EVERY,
      onFailure: props.deadLetters.asDestination(),
    });
    for (const statement of props.deadLetters.statements()) {
      stage.addToRolePolicy(statement);
    }
    new events.Rule(this, 'Rule', {
      ruleName: `${props.name}-${props.id}`,
      description: props.description,
      schedule: events.Schedule.rate(EVERY),
      targets: [
        new targets.LambdaFunction(stage, {
          // Some emulators deliver a constant input only if it has an `id`.
          event: events.RuleTargetInput.fromObject({ id: props.id }),
          retryAttempts: 0,
          maxEventAge: EVERY,
          deadLetterQueue: props.deadLetters,
        }),
      ],
    });
  }
}
