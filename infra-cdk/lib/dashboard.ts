/** One page that shows how a deployment is: runs, lanes, attempts, what is provisioned, stages, front door, store. */
import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { Foreshard } from './foreshard';
import { runMetric, runNamespace, TASK_METRICS, TASK_NAMESPACE } from './run-metrics';
import { CONTROL_STAGES, executePrefix } from './stages';

const PERIOD = Duration.minutes(1);
const HALF = 12;
const THIRD = 8;

export interface DashboardProps {
  readonly foreshard: Foreshard;
  readonly alarms: readonly cloudwatch.IAlarm[];
}

/** Dashboard named as the deployment is. */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, { foreshard, alarms }: DashboardProps) {
    super(scope, id);
    new cloudwatch.Dashboard(this, 'Dashboard', {
      dashboardName: foreshard.name,
      defaultInterval: Duration.hours(3),
      widgets: [
        [new cloudwatch.AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 24, height: 3 })],
        runs(foreshard),
        attempts(foreshard),
        tasks(foreshard),
        ahead(foreshard),
        stages(foreshard),
        frontDoor(foreshard),
        store(foreshard),
      ],
    });
  }
}

/** Every metric of a name, whatever its value of `dimension`: a line each. */
function each(namespace: string, dimension: string, metricName: string, statistic: string, having = '') {
  return new cloudwatch.MathExpression({
    expression: `SEARCH('{${namespace},${dimension}} MetricName="${metricName}"${having}', '${statistic}')`,
    usingMetrics: {},
    label: '',
    period: PERIOD,
  });
}

function graph(title: string, width: number, left: cloudwatch.IMetric[], right: cloudwatch.IMetric[] = []) {
  return new cloudwatch.GraphWidget({ title, width, height: 6, left, right });
}

function runs({ name }: Foreshard) {
  const own = runNamespace(name);
  const period = PERIOD;
  return [
    graph('Runs', THIRD, [
      runMetric(name, 'RunsStarted', { label: 'started', period }),
      each(own, 'State', 'RunsEnded', 'Sum'),
      runMetric(name, 'RunsEndedBySweep', { label: 'ended by the sweep', period }),
    ]),
    graph(
      'Cost of what has ended, by price list',
      THIRD,
      [runMetric(name, 'RunCost', { label: 'dollars', period: Duration.hours(1) })],
      [
        runMetric(name, 'RunMakespan', { label: 'makespan p50 s', statistic: 'p50', period: Duration.hours(1) }),
        runMetric(name, 'RunMakespan', { label: 'makespan p99 s', statistic: 'p99', period: Duration.hours(1) }),
      ],
    ),
    graph('Granted', THIRD, [
      runMetric(name, 'LanesGranted', { label: 'lanes', period }),
      runMetric(name, 'ShardsPlanned', { label: 'shards', period }),
    ]),
  ];
}

function attempts({ name }: Foreshard) {
  const tiers = ` FunctionName="${executePrefix(name)}"`;
  const period = PERIOD;
  return [
    graph('Attempts', THIRD, [
      runMetric(name, 'AttemptsStarted', { label: 'started', period }),
      runMetric(name, 'AttemptsLost', { label: 'lost with their lane', period }),
    ]),
    graph('Failed attempts by cause: out_of_memory, throttled, timeout, …', THIRD, [
      each(runNamespace(name), 'Cause', 'AttemptsFailed', 'Sum'),
    ]),
    graph(
      'Lanes at work, by tier',
      THIRD,
      [each('AWS/Lambda', 'FunctionName', 'ConcurrentExecutions', 'Maximum', tiers)],
      [each('AWS/Lambda', 'FunctionName', 'Throttles', 'Sum', tiers)],
    ),
  ];
}

function tasks({ name }: Foreshard) {
  const [duration, errors, peak] = TASK_METRICS;
  const target = ` Target="${executePrefix(name)}"`;
  return [
    graph('Duration of tasks p50, ms', THIRD, [each(TASK_NAMESPACE, 'TaskType,Target', duration, 'p50', target)]),
    graph('Errors of tasks', THIRD, [each(TASK_NAMESPACE, 'TaskType,Target', errors, 'Sum', target)]),
    graph('Peak memory of tasks, MB', THIRD, [each(TASK_NAMESPACE, 'TaskType,Target', peak, 'Maximum', target)]),
  ];
}

function ahead({ name, stages: { forecast, prewarm } }: Foreshard) {
  const tiers = ` FunctionName="${executePrefix(name)}"`;
  const ofAlias = (metricName: string, statistic: string) =>
    each('AWS/Lambda', 'FunctionName,Resource', metricName, statistic, tiers);
  const period = PERIOD;
  return [
    graph('Provisioned environments, by alias', THIRD, [ofAlias('ProvisionedConcurrentExecutions', 'Maximum')]),
    graph(
      'Share of them in use; started on demand beside them',
      THIRD,
      [ofAlias('ProvisionedConcurrencyUtilization', 'Maximum')],
      [ofAlias('ProvisionedConcurrencySpilloverInvocations', 'Sum')],
    ),
    graph(
      'Decisions ahead, ms',
      THIRD,
      [
        forecast.function.metricDuration({ statistic: 'p99', label: 'forecast', period }),
        prewarm.function.metricDuration({ statistic: 'p99', label: 'prewarm', period }),
      ],
      [
        forecast.function.metricErrors({ label: 'forecast errors', period }),
        prewarm.function.metricErrors({ label: 'prewarm errors', period }),
      ],
    ),
  ];
}

function stages({ stages, machine }: Foreshard) {
  const { dispatch } = stages;
  const period = PERIOD;
  return [
    graph('Dispatch, ms', THIRD, [
      dispatch.function.metricDuration({ statistic: 'p50', label: 'p50', period }),
      dispatch.function.metricDuration({ statistic: 'p99', label: 'p99', period }),
    ]),
    graph(
      'Errors and throttles of stages',
      THIRD,
      CONTROL_STAGES.map((stage) => stages[stage].function.metricErrors({ label: `${stage} errors`, period })),
      CONTROL_STAGES.map((stage) => stages[stage].function.metricThrottles({ label: `${stage} throttles`, period })),
    ),
    graph(
      'Rounds',
      THIRD,
      [
        machine.metricStarted({ label: 'started', period }),
        machine.metricSucceeded({ label: 'succeeded', period }),
        machine.metricFailed({ label: 'failed', period }),
        machine.metricTimedOut({ label: 'timed out', period }),
        machine.metricAborted({ label: 'aborted', period }),
      ],
      [machine.metricThrottled({ label: 'transitions throttled', period })],
    ),
  ];
}

function frontDoor({ api, stages }: Foreshard) {
  const { restApi } = api;
  const period = PERIOD;
  return [
    graph(
      'Requests',
      HALF,
      [restApi.metricCount({ label: 'requests', period })],
      [restApi.metricClientError({ label: '4xx', period }), restApi.metricServerError({ label: '5xx', period })],
    ),
    graph('Latency of requests, ms', HALF, [
      restApi.metricLatency({ statistic: 'p50', label: 'p50', period }),
      restApi.metricLatency({ statistic: 'p99', label: 'p99', period }),
      stages.submit.function.metricDuration({ statistic: 'p99', label: 'submit p99', period }),
    ]),
  ];
}

function store({ table, deadLetters, stages }: Foreshard) {
  const period = PERIOD;
  const ofTable = (metricName: string, label: string) =>
    new cloudwatch.Metric({
      namespace: 'AWS/DynamoDB',
      metricName,
      dimensionsMap: { TableName: table.tableName },
      statistic: 'Sum',
      label,
      period,
    });
  return [
    graph(
      'Table',
      HALF,
      [ofTable('ConsumedReadCapacityUnits', 'read units'), ofTable('ConsumedWriteCapacityUnits', 'write units')],
      [ofTable('ReadThrottleEvents', 'reads throttled'), ofTable('WriteThrottleEvents', 'writes throttled')],
    ),
    graph(
      'Sweep',
      HALF,
      [stages.reshard.function.metricInvocations({ label: 'sweeps', period })],
      [deadLetters.metricApproximateNumberOfMessagesVisible({ label: 'dead letters', statistic: 'Maximum', period })],
    ),
  ];
}
