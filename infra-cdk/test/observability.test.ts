import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LOG_METRICS, TASK_METRICS, TASK_NAMESPACE } from '../lib/run-metrics';
import { fullTemplate, resources, template, text, variant } from './deployment';
import { ROOT, rustFiles, source } from './rust-source';

/** Calls of `tracing` in a folder: each one's message and the names of its fields. */
function lines(folder: string): { message: string; fields: string[] }[] {
  const calls = rustFiles(folder).flatMap((path) => [...source(path).matchAll(/tracing::\w+!\(([\s\S]*?)\);/g)]);
  return calls.map(([, inside]) => ({
    message: /"([^"]*)"\s*$/.exec(inside!)?.[1] ?? '',
    fields: [...inside!.matchAll(/(?:^|[(,])\s*[%?]?(\w+)(?=\s*[,=)])/g)].map((match) => match[1]!),
  }));
}

describe('metrics made of log lines', () => {
  test.each(Object.entries(LOG_METRICS))('%s: its stage writes the line, with the fields', (_, metric) => {
    const line = lines(`shared/stages/src/${metric.stage}`).find(({ message }) => message === metric.message);
    expect(line).toBeDefined();
    const fields = [
      'value' in metric ? [metric.value] : [],
      'dimensions' in metric ? Object.values(metric.dimensions) : [],
    ];
    expect(line!.fields).toEqual(expect.arrayContaining(fields.flat()));
  });

  test('each counts in the log of its stage, in the namespace of the deployment', () => {
    const filters = resources('AWS::Logs::MetricFilter').map(([, { Properties }]) => Properties);
    const found = filters.map(({ LogGroupName, MetricTransformations: [to] }) => [
      to.MetricName,
      to.MetricNamespace,
      text(LogGroupName)
        .replace(/^\$\{Foreshard(\w+)Logs\w{8}\}$/, '$1')
        .toLowerCase(),
    ]);
    expect(found.sort()).toEqual(
      Object.entries(LOG_METRICS)
        .map(([name, { stage }]) => [name, 'Foreshard/foreshard', stage])
        .sort(),
    );
  });

  test('a pattern names the message and what must be there', () => {
    const failed = resources('AWS::Logs::MetricFilter').find(([id]) => id.includes('AttemptsFailed'))!;
    expect(failed[1].Properties).toMatchObject({
      FilterPattern: '{ ($.message = "settled") && ($.cause = "*") }',
      MetricTransformations: [{ MetricValue: '1', Dimensions: [{ Key: 'Cause', Value: '$.cause' }] }],
    });
  });
});

test('metrics of tasks are published by the worker, in the namespace that it may publish in', () => {
  const published = source('shared/worker/src/sampler/metrics.rs');
  for (const name of TASK_METRICS) {
    expect(published).toContain(`"${name}"`);
  }
  expect(source('shared/stages/src/ports/learnt.rs')).toContain(`NAMESPACE: &str = "${TASK_NAMESPACE}"`);
});

describe('dashboard', () => {
  const body = () => text(resources('AWS::CloudWatch::Dashboard')[0]![1].Properties.DashboardBody);

  test('every metric of the deployment is on it', () => {
    for (const name of [...Object.keys(LOG_METRICS), ...TASK_METRICS]) {
      expect(body()).toContain(name);
    }
  });

  test('it names nothing of the namespaces that is not there', () => {
    const named = [...body().matchAll(/"Foreshard\/foreshard","(\w+)"|MetricName=\\?\\"(\w+)/g)].map(
      (m) => m[1] ?? m[2],
    );
    const ofLambda = [
      'ConcurrentExecutions',
      'Throttles',
      'ProvisionedConcurrentExecutions',
      'ProvisionedConcurrencyUtilization',
      'ProvisionedConcurrencySpilloverInvocations',
    ];
    const known = [...Object.keys(LOG_METRICS), ...TASK_METRICS, ...ofLambda];
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !known.includes(name!))).toEqual([]);
  });
});

describe('alarms', () => {
  const alarms = (from = template) => resources('AWS::CloudWatch::Alarm', from).map(([, { Properties }]) => Properties);

  test('each says in a sentence or two what to do, and is explained in the documentation', () => {
    const page = readFileSync(`${ROOT}/docs/observability.md`, 'utf8');
    expect(alarms().length).toBeGreaterThan(15);
    for (const { AlarmName, AlarmDescription } of alarms()) {
      expect(AlarmDescription.length).toBeGreaterThan(60);
      expect(page).toContain(`| \`${AlarmName.replace('foreshard-', '')}\` |`);
    }
  });

  test('silence is bad news from the sweep alone', () => {
    const breaching = alarms().filter(({ TreatMissingData }) => TreatMissingData !== 'notBreaching');
    expect(breaching.map(({ AlarmName }) => AlarmName)).toEqual(['foreshard-SweepStopped']);
  });

  test('no alarm needs metric math, which emulators refuse', () => {
    expect(alarms().filter(({ Metrics }) => Metrics)).toEqual([]);
  });

  test('they go nowhere unless the deployment says where, then both ways', () => {
    expect(new Set(alarms().flatMap(({ AlarmActions }) => AlarmActions ?? []))).toEqual(new Set());
    for (const { AlarmActions, OKActions } of alarms(fullTemplate())) {
      expect(AlarmActions).toHaveLength(2);
      expect(OKActions).toEqual(AlarmActions);
    }
  });

  test('a topic of its own is encrypted with a key that CloudWatch may use', () => {
    const from = variant({ monitoring: true, alarmEmail: 'on-call@example.com' });
    const [, topic] = resources('AWS::SNS::Topic', from)[0]!;
    const [id, key] = resources('AWS::KMS::Key', from)[0]!;
    expect(topic.Properties.KmsMasterKeyId).toEqual({ 'Fn::GetAtt': [id, 'Arn'] });
    expect(JSON.stringify(key.Properties.KeyPolicy)).toContain('cloudwatch.amazonaws.com');
    const [, subscription] = resources('AWS::SNS::Subscription', from)[0]!;
    expect(subscription.Properties).toMatchObject({ Protocol: 'email', Endpoint: 'on-call@example.com' });
  });
});

test('monitoring can be left out', () => {
  const from = variant({});
  for (const type of ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::Dashboard', 'AWS::Logs::MetricFilter']) {
    expect(resources(type, from)).toEqual([]);
  }
});

test('with tracing API, functions and state machine take part in a trace, without it none does', () => {
  const traced = (from = template) => [
    ...resources('AWS::ApiGateway::Stage', from).map(([, { Properties }]) => Properties.TracingEnabled === true),
    ...resources('AWS::Lambda::Function', from).map(
      ([, { Properties }]) => Properties.TracingConfig?.Mode === 'Active',
    ),
    ...resources('AWS::StepFunctions::StateMachine', from).map(
      ([, { Properties }]) => Properties.TracingConfiguration?.Enabled === true,
    ),
  ];
  expect(new Set(traced())).toEqual(new Set([true]));
  expect(new Set(traced(variant({ tracing: false })))).toEqual(new Set([false]));
});
