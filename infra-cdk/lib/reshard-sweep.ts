/** Wakes reshard each minute, so that whatever was lost is found without a person. */
import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

/** EventBridge's shortest rate. */
const EVERY = Duration.minutes(1);

/** Rule that starts the sweep. A sweep that fails is not tried again: the next one sees the same and more. */
export class ReshardSweep extends Construct {
  constructor(scope: Construct, id: string, props: { readonly name: string; readonly reshard: lambda.Function }) {
    super(scope, id);
    props.reshard.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: EVERY });
    new events.Rule(this, 'Rule', {
      ruleName: `${props.name}-sweep`,
      description: 'Foreshard: release, wake and restart what was lost',
      schedule: events.Schedule.rate(EVERY),
      targets: [
        new targets.LambdaFunction(props.reshard, {
          // Some emulators deliver a constant input only if it has an `id`.
          event: events.RuleTargetInput.fromObject({ id: 'sweep' }),
          retryAttempts: 0,
          maxEventAge: EVERY,
        }),
      ],
    });
  }
}
