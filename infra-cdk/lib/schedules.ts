/** What wakes submit for schedules: the group of their timers, the role those take, and the rule of each minute. */
import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { allow } from './access';
import { acknowledge, wildcard } from './acknowledge';
import type { DeadLetters } from './dead-letters';
import type { StageRole } from './stage-role';
import { functionName } from './stages';

/** EventBridge's shortest rate. */
const EVERY = Duration.minutes(1);

/** An event may come this late and still stand for its scheduled time: LATENESS_MS of shared/model/src/schedule.rs. */
const LATENESS = Duration.hours(1);

export interface SchedulesProps {
  readonly name: string;
  readonly deadLetters: DeadLetters;
}

/** Wiring of schedules. It is made before submit, which is told of it; `wake` comes after. */
export class Schedules extends Construct {
  readonly group: string;
  /** ARN of submit, put together by name: its own variables cannot refer to it. */
  readonly target: string;
  readonly role: iam.Role;
  private readonly timers: string;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: SchedulesProps,
  ) {
    super(scope, id);
    const stack = Stack.of(this);
    const group = new scheduler.CfnScheduleGroup(this, 'Group', { name: props.name });
    this.group = props.name;
    this.target = stack.formatArn({
      service: 'lambda',
      resource: 'function',
      resourceName: functionName(props.name, 'submit'),
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    this.timers = stack.formatArn({ service: 'scheduler', resource: 'schedule', resourceName: `${props.name}/*` });
    this.role = new iam.Role(this, 'Role', {
      description: 'What the timers of Foreshard may do: wake submit, and keep what they could not hand over',
      // Only for timers of this group: nobody else makes the service act as this role.
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': stack.account },
          ArnLike: {
            'aws:SourceArn': stack.formatArn({
              service: 'scheduler',
              resource: 'schedule-group',
              resourceName: props.name,
            }),
          },
        },
      }),
    });
    this.role.node.addDependency(group);
    this.role.addToPolicy(allow('Wake', ['lambda:InvokeFunction'], [this.target]));
    for (const statement of props.deadLetters.statements()) {
      this.role.addToPolicy(statement);
    }
  }

  /** Lets submit keep the timers of the group, and give them the role. */
  mayKeep(submit: StageRole): void {
    acknowledge(submit, {
      [wildcard(this, this.timers)]: 'Timers are made and removed as schedules are: their names are not known here.',
    });
    submit.addToPolicy(
      allow(
        'Timers',
        ['scheduler:CreateSchedule', 'scheduler:DeleteSchedule', 'scheduler:UpdateSchedule'],
        [this.timers],
      ),
    );
    submit.addToPolicy(
      allow('TimerRole', ['iam:PassRole'], [this.role.roleArn], {
        StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' },
      }),
    );
  }

  /** Has submit look after schedules each minute: what a timer has lost, or where timers do not fire, all of them. */
  wake(submit: lambda.Function): void {
    // An event that failed comes again while it still stands for its time; after that the rule finds it.
    submit.configureAsyncInvoke({
      retryAttempts: 2,
      maxEventAge: LATENESS,
      onFailure: this.props.deadLetters.asDestination(),
    });
    for (const statement of this.props.deadLetters.statements()) {
      submit.addToRolePolicy(statement);
    }
    new events.Rule(this, 'Rule', {
      ruleName: `${this.props.name}-schedules`,
      description: 'Foreshard: start what is due and was not started',
      schedule: events.Schedule.rate(EVERY),
      targets: [
        new targets.LambdaFunction(submit, {
          // Some emulators deliver a constant input only if it has an `id`.
          event: events.RuleTargetInput.fromObject({ id: 'schedules' }),
          retryAttempts: 0,
          maxEventAge: EVERY,
          deadLetterQueue: this.props.deadLetters,
        }),
      ],
    });
  }
}
