/** Metrics that are in the logs already: what the stages say of runs and attempts, counted without a call or a permission. */
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { ControlStage } from './stages';

/** Namespace of what execute publishes of tasks: `NAMESPACE` in shared/aws/src/cloudwatch.rs. */
export const TASK_NAMESPACE = 'Foreshard';

/** What execute publishes, in `TASK_NAMESPACE`, by task type and target: shared/worker/src/sampler/metrics.rs. */
export const TASK_METRICS = ['TaskDuration', 'TaskErrors', 'TaskPeakMemory'] as const;

interface LogMetric {
  /** Whose log says it. */
  readonly stage: ControlStage;
  /** The line's message, whole. */
  readonly message: string;
  /** The field that is the value; without one, lines are counted. */
  readonly value?: string;
  /** Fields that become dimensions: few values each, because each value is a metric that costs $0.30 a month. */
  readonly dimensions?: Readonly<Record<string, string>>;
}

/** Every metric made of a log line. `test/observability.test.ts` finds each line in the code of its stage. */
export const LOG_METRICS = {
  RunsStarted: { stage: 'plan', message: 'planned' },
  LanesGranted: { stage: 'plan', message: 'planned', value: 'lanes' },
  ShardsPlanned: { stage: 'plan', message: 'planned', value: 'shards' },
  RunsEnded: { stage: 'aggregate', message: 'the run has ended', dimensions: { State: 'state' } },
  RunCost: { stage: 'aggregate', message: 'the run has ended', value: 'cost_usd' },
  RunMakespan: { stage: 'aggregate', message: 'the run has ended', value: 'makespan_s' },
  RunsEndedBySweep: { stage: 'reshard', message: 'ended by the sweep, without figures' },
  AttemptsStarted: { stage: 'dispatch', message: 'claimed' },
  AttemptsFailed: { stage: 'dispatch', message: 'settled', dimensions: { Cause: 'cause' } },
  AttemptsLost: { stage: 'reshard', message: 'an attempt is lost' },
} as const satisfies Record<string, LogMetric>;

export type LogMetricName = keyof typeof LOG_METRICS;

/** Namespace of a deployment's own metrics: two deployments in an account do not add up. */
export function runNamespace(name: string): string {
  return `Foreshard/${name}`;
}

/** A metric made of a log line, as a graph or an alarm takes it. */
export function runMetric(
  name: string,
  metricName: LogMetricName,
  options: Partial<cloudwatch.MetricProps> = {},
): cloudwatch.Metric {
  return new cloudwatch.Metric({ namespace: runNamespace(name), metricName, statistic: 'Sum', ...options });
}

/** Lets CloudWatch Logs count in the groups of the stages. */
export function countInLogs(name: string, groups: Readonly<Record<ControlStage, logs.LogGroup>>): void {
  for (const [metricName, metric] of Object.entries<LogMetric>(LOG_METRICS)) {
    groups[metric.stage].addMetricFilter(metricName, {
      metricName,
      metricNamespace: runNamespace(name),
      filterPattern: logs.FilterPattern.all(
        logs.FilterPattern.stringValue('$.message', '=', metric.message),
        ...(metric.value ? [logs.FilterPattern.numberValue(`$.${metric.value}`, '>=', 0)] : []),
        ...Object.values(metric.dimensions ?? {}).map((field) => logs.FilterPattern.exists(`$.${field}`)),
      ),
      metricValue: metric.value ? `$.${metric.value}` : '1',
      dimensions:
        metric.dimensions &&
        Object.fromEntries(Object.entries(metric.dimensions).map(([label, field]) => [label, `$.${field}`])),
    });
  }
}
