/** Decides what somebody should be told of, when, and what they should do then. */
import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { Foreshard } from './foreshard';
import { runMetric } from './run-metrics';

const { ComparisonOperator, TreatMissingData } = cloudwatch;

/** One thing to be told of. */
export interface AlarmPlan {
  readonly id: string;
  readonly metric: cloudwatch.Metric;
  /** Values above it are bad; or below, where `below` says so. */
  readonly threshold: number;
  readonly below?: boolean;
  /** How many periods in a row. One when missing. */
  readonly periods?: number;
  /** What has happened, and what to do: whoever is woken reads this first. */
  readonly description: string;
}

/** Without metric math, which emulators refuse in alarms, and without numbers that depend on how much is run. */
export function alarmPlans(foreshard: Foreshard): AlarmPlan[] {
  return [...runs(foreshard), ...machine(foreshard), ...functions(foreshard), ...api(foreshard), ...store(foreshard)];
}

/** A minute is the finest that AWS's own metrics have; five make one alarm of one disturbance. */
const PERIOD = Duration.minutes(5);
const sum = { statistic: 'Sum', period: PERIOD };

function runs({ name }: Foreshard): AlarmPlan[] {
  return [
    {
      id: 'RunsFailed',
      metric: runMetric(name, 'RunsEnded', { dimensionsMap: { State: 'failed' }, period: PERIOD }),
      threshold: 0,
      description: 'A run has failed. `foreshard list` shows which, `foreshard status <run>` names cause and code.',
    },
    {
      id: 'RunsEndedBySweep',
      metric: runMetric(name, 'RunsEndedBySweep', { period: PERIOD }),
      threshold: 0,
      description:
        'A run was closed by the sweep because aggregate failed again and again: it has no result. Read the log of aggregate ' +
        'for the run, mend the cause, submit again.',
    },
    {
      id: 'AttemptsLost',
      metric: runMetric(name, 'AttemptsLost', { period: PERIOD }),
      threshold: 10,
      periods: 3,
      description:
        'Lanes die again and again and the sweep puts their shards back: runs go on but slowly. Look for executions of the ' +
        'state machine that were stopped, and for throttled dispatches.',
    },
  ];
}

function machine({ machine }: Foreshard): AlarmPlan[] {
  return [
    {
      id: 'RoundsFailed',
      metric: machine.metricFailed(sum),
      threshold: 0,
      description:
        'An execution has failed: aggregate gave no answer. The sweep starts the next round within a minute or two; if this ' +
        'comes again, read the execution and the log of aggregate.',
    },
    {
      id: 'RoundsTimedOut',
      metric: machine.metricTimedOut(sum),
      threshold: 0,
      description: 'An execution has timed out. Its run goes on with the next round; read which state it waited in.',
    },
    {
      id: 'RoundsAborted',
      metric: machine.metricAborted(sum),
      threshold: 0,
      description:
        'Somebody has stopped an execution. To end a run, cancel it (`foreshard cancel <run>`): a stopped round is started again.',
    },
    {
      id: 'TransitionsThrottled',
      metric: machine.metricThrottled(sum),
      threshold: 0,
      periods: 3,
      description:
        'The account is at its quota of state transitions: lanes wait. Set fewer lanes (`lanesMax`) or ask for more (Service ' +
        'Quotas, Step Functions, StateTransition).',
    },
  ];
}

function functions({ stages }: Foreshard): AlarmPlan[] {
  const { submit, plan, dispatch, aggregate, reshard, forecast, prewarm } = stages;
  const failing = (id: string, stage: typeof submit, threshold: number, what: string): AlarmPlan => ({
    id: `${id}Fails`,
    metric: stage.function.metricErrors(sum),
    threshold,
    periods: 3,
    description: `${what} Read its log: \`fields @message | filter message = "not answered"\` shows word and error of each.`,
  });
  const throttled = (id: string, stage: typeof submit): AlarmPlan => ({
    id: `${id}Throttled`,
    metric: stage.function.metricThrottles(sum),
    threshold: 0,
    periods: 3,
    description:
      `The account has no concurrency left for ${id.toLowerCase()}. Reserve some (\`reserveConcurrency=true\`), set fewer lanes ` +
      '(`lanesMax`), or ask for more (Service Quotas, Lambda, concurrent executions).',
  });
  return [
    failing('Submit', submit, 0, 'Submit fails, callers get 5xx.'),
    failing('Plan', plan, 0, 'Plan fails: runs do not start.'),
    // A conflict is a race between lanes: the state machine repeats it, and some are always there.
    failing('Dispatch', dispatch, 100, 'Dispatch fails more than races explain: lanes stand still.'),
    failing('Aggregate', aggregate, 5, 'Aggregate fails: runs do not end.'),
    failing('Reshard', reshard, 0, 'The sweep fails: what is lost stays lost.'),
    failing('Forecast', forecast, 0, 'Forecast fails: runs are planned as if all lanes were free.'),
    failing(
      'Prewarm',
      prewarm,
      0,
      'Provisioned concurrency is not decided, or not changed: what is provisioned stays and is paid for. The policy may be unreadable ' +
        '(`policies/prewarm.json`), or Lambda refuses.',
    ),
    throttled('Submit', submit),
    throttled('Dispatch', dispatch),
    {
      id: 'DispatchSlow',
      metric: dispatch.function.metricDuration({ statistic: 'p99', period: PERIOD }),
      threshold: 5_000,
      periods: 3,
      description:
        'One in a hundred dispatches takes over 5 s: the table throttles, or one run has a level too wide ' +
        'for its partitions. Look at the throttles of the table.',
    },
    {
      id: 'SweepStopped',
      metric: reshard.function.metricInvocations(sum),
      threshold: 1,
      below: true,
      periods: 2,
      description:
        'The sweep has not run for ten minutes: nothing lost is found, no token is woken twice. See whether the rule is enabled, ' +
        'and what is in the dead letters.',
    },
  ];
}

function api({ api }: Foreshard): AlarmPlan[] {
  return [
    {
      id: 'ApiServerErrors',
      metric: api.restApi.metricServerError(sum),
      threshold: 0,
      periods: 2,
      description:
        'The API answers 5xx. Find the requests in the access log by status, then the log of submit by request.',
    },
    {
      id: 'ApiSlow',
      metric: api.restApi.metricLatency({ statistic: 'p99', period: PERIOD }),
      threshold: 10_000,
      periods: 3,
      description:
        'One in a hundred requests takes over 10 s, at 29 s the gateway gives up. The access log says which route, and how much ' +
        'of it was submit (`submit_ms`).',
    },
  ];
}

function store({ table, deadLetters }: Foreshard): AlarmPlan[] {
  const throttles = (which: 'Read' | 'Write') => ({
    id: `Table${which}sThrottled`,
    metric: new cloudwatch.Metric({
      namespace: 'AWS/DynamoDB',
      metricName: `${which}ThrottleEvents`,
      dimensionsMap: { TableName: table.tableName },
      ...sum,
    }),
    threshold: 0,
    periods: 3,
    description:
      `The table throttles ${which.toLowerCase()}s: dispatches wait and repeat. On demand it doubles what it had in half an hour; ` +
      'if one partition is hot, the run has too few (`partitions` in its plan).',
  });
  return [
    throttles('Read'),
    throttles('Write'),
    {
      id: 'DeadLetters',
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: PERIOD }),
      threshold: 0,
      description:
        'An invocation that nobody waits for could not be made, or failed. The message says which and why. Sweeps need no ' +
        'repeating: purge the queue when the cause is mended.',
    },
  ];
}

export interface AlarmsProps {
  readonly foreshard: Foreshard;
  readonly actions: readonly cloudwatch.IAlarmAction[];
}

/** The alarms. Who is told when one goes off is told as well when it is over. */
export class Alarms extends Construct {
  readonly alarms: readonly cloudwatch.Alarm[];

  constructor(scope: Construct, id: string, { foreshard, actions }: AlarmsProps) {
    super(scope, id);
    this.alarms = alarmPlans(foreshard).map((plan) => {
      const alarm = new cloudwatch.Alarm(this, plan.id, {
        alarmName: `${foreshard.name}-${plan.id}`,
        alarmDescription: plan.description,
        metric: plan.metric,
        threshold: plan.threshold,
        comparisonOperator: plan.below
          ? ComparisonOperator.LESS_THAN_THRESHOLD
          : ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluationPeriods: plan.periods ?? 1,
        // Nothing reported is nothing wrong, except where the silence is what is wrong.
        treatMissingData: plan.below ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
      });
      alarm.addAlarmAction(...actions);
      alarm.addOkAction(...actions);
      return alarm;
    });
  }
}
