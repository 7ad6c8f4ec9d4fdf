/** Wakes a stage again and again: reshard finds what was lost, forecast looks ahead, prewarm acts on what is known. */
import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import type { DeadLetters } from './dead-letters';
import type { StageFunction } from './stage-function';

/** What starts a stage again and again. */
interface Rate {
  /** Last part of the rule's name, and the `id` in its input. */
  readonly id: string;
  readonly description: string;
  readonly every: Duration;
}

/** What is done again and again. */
export interface ErrandPlan extends Rate {
  /** Other rules that start the same stage: their `id` tells it why. */
  readonly also?: readonly Rate[];
}

/** Heals runs, at EventBridge's shortest rate. */
export const SWEEP: ErrandPlan = {
  id: 'sweep',
  description: 'Foreshard: release, wake and restart what was lost',
  every: Duration.minutes(1),
};
/** Forecasts, as often as there is a step (`engine::foresee::STEP_S`). */
export const FORECAST: ErrandPlan = {
  id: 'forecast',
  description: 'Foreshard: forecast demand and free lanes from what was measured',
  every: Duration.minutes(5),
};
/** Decides provisioned concurrency, as often as it is billed; `INTERVAL_MS` of the stage is the same. */
export const PREWARM: ErrandPlan = {
  id: 'prewarm',
  description: 'Foreshard: provision what is about to be used, or nothing',
  every: Duration.minutes(5),
  // `PrewarmRequest::ADMITTED`: runs are admitted in bursts, and one decision is enough for all of a minute.
  also: [
    { id: 'admitted', description: 'Foreshard: the same, if a run has just been admitted', every: Duration.minutes(1) },
  ],
};

export interface ErrandProps extends ErrandPlan {
  readonly name: string;
  readonly stage: StageFunction;
  readonly deadLetters: DeadLetters;
}

/**
 * Rules that start a stage. One that fails is not tried again: the next one sees the same and more. What failed, or could not
 * be started at all, ends in the dead letters, and an alarm says so.
 */
export class Errand extends Construct {
  constructor(scope: Construct, id: string, props: ErrandProps) {
    super(scope, id);
    const stage = props.stage.function;
    stage.configureAsyncInvoke({
      retryAttempts: 0,
      maxEventAge: props.every,
      onFailure: props.deadLetters.asDestination(),
    });
    for (const statement of props.deadLetters.statements()) {
      stage.addToRolePolicy(statement);
    }
    const rates: readonly Rate[] = [props, ...(props.also ?? [])];
    for (const [number, { id, description, every }] of rates.entries()) {
      new events.Rule(this, number === 0 ? 'Rule' : `Rule-${id}`, {
        ruleName: `${props.name}-${id}`,
        description,
        schedule: events.Schedule.rate(every),
        targets: [
          new targets.LambdaFunction(stage, {
            // Some emulators deliver a constant input only if it has an `id`.
            event: events.RuleTargetInput.fromObject({ id }),
            retryAttempts: 0,
            maxEventAge: every,
            deadLetterQueue: props.deadLetters,
          }),
        ],
      });
    }
  }
}
