import { describe, expect, test } from 'vitest';
import { EXECUTE_TIERS_MIB, STAGES } from '../lib';
import { resources, roleId, type Statement, statementsOf, template } from './deployment';
import { permissionsOfPorts, portsOf } from './ports';
import { source } from './rust-source';

/** What a role needs for Lambda's sake and X-Ray's, whatever its ports are. */
const PLATFORM = ['logs:CreateLogStream', 'logs:PutLogEvents', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'];
/** What Lambda does in the name of a function beside that. */
const OF_STAGE: Partial<Record<(typeof STAGES)[number], string[]>> = {
  // Its failed invocations go to the dead letters.
  reshard: ['sqs:SendMessage'],
  prewarm: ['sqs:SendMessage'],
  // So do its own, and the timers that it makes take a role that it passes on.
  submit: ['iam:PassRole', 'sqs:SendMessage'],
  forecast: ['sqs:SendMessage'],
};

const KEYS: Record<(typeof STAGES)[number], { read: string[]; write: string[] }> = {
  submit: {
    read: ['runs/*', 'uploads/*', 'bundles/*', 'workflows/*'],
    write: ['runs/*', 'uploads/*', 'bundles/*', 'workflows/*'],
  },
  plan: { read: ['runs/*', 'uploads/*', 'workflows/*'], write: ['runs/*'] },
  dispatch: { read: ['runs/*'], write: ['runs/*'] },
  execute: { read: ['runs/*', 'bundles/*'], write: ['runs/*'] },
  aggregate: { read: ['runs/*'], write: ['runs/*'] },
  reshard: { read: ['runs/*'], write: ['runs/*'] },
  forecast: { read: ['runs/*', 'policies/*'], write: [] },
  prewarm: { read: ['runs/*', 'policies/*'], write: [] },
};

const permissionsOf = permissionsOfPorts();

describe('what is read from the sources', () => {
  test('every port of every stage has an adapter, or needs nothing of AWS', () => {
    const ports = new Set(STAGES.flatMap((stage) => [...portsOf(stage)]));
    const without = [...ports].filter((port) => !permissionsOf.has(port));
    expect(without.sort()).toEqual(['Clock', 'Wiring']);
    expect(ports.size).toBeGreaterThan(15);
  });

  test('the operations of an adapter are found through the functions that it calls', () => {
    const of = (port: string) => [...permissionsOf.get(port)!].sort();
    expect(of('RunReads')).toEqual(['dynamodb:GetItem', 'dynamodb:Query']);
    expect(of('RunWrites')).toEqual(['dynamodb:DeleteItem', 'dynamodb:PutItem']);
    expect(of('FrontierReads')).toEqual(['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query']);
    expect(of('FrontierWrites')).toEqual(['dynamodb:PutItem', 'dynamodb:UpdateItem']);
    expect(of('LedgerWrites')).toEqual(['dynamodb:BatchWriteItem', 'dynamodb:PutItem']);
    expect(of('BlobReads')).toEqual(['s3:GetObject']);
    expect(of('BlobWrites')).toEqual(['s3:AbortMultipartUpload', 's3:PutObject']);
    expect(of('BlobPresigns')).toEqual(['s3:GetObject', 's3:PutObject']);
    expect(of('Executions')).toEqual(['states:StartExecution']);
    expect(of('MetricReads')).toEqual(['cloudwatch:GetMetricData']);
    expect(of('ForecastReads')).toEqual(['dynamodb:GetItem', 'dynamodb:Query']);
    expect(of('ForecastWrites')).toEqual(['dynamodb:PutItem']);
    expect(of('ProfileWrites')).toEqual(['dynamodb:PutItem']);
    expect(of('TaskIdentity')).toEqual(['sts:AssumeRole', 'sts:TagSession']);
    expect(of('FunctionCalls')).toEqual([]);
  });

  test('calls of functions of users are signed by the task', () => {
    expect(source('shared/aws/src/lambda.rs')).toContain('.credentials_provider(');
  });
});

const roleOf = (stage: string) => roleId(`Foreshard${stage.charAt(0).toUpperCase()}${stage.slice(1)}Role`);
const granting = (statements: Statement[], action: string) => statements.filter((s) => s.actions.includes(action));

describe.each(STAGES)('%s', (stage) => {
  const statements = statementsOf(roleOf(stage));

  test('may do exactly what its ports need', () => {
    const granted = new Set(statements.flatMap((s) => s.actions));
    const ofPorts = [...portsOf(stage)].flatMap((port) => [...(permissionsOf.get(port) ?? [])]);
    const needed = new Set([...PLATFORM, ...(OF_STAGE[stage] ?? []), ...ofPorts]);
    expect({
      'granted but not needed': [...granted].filter((action) => !needed.has(action)).sort(),
      'needed but not granted': [...needed].filter((action) => !granted.has(action)).sort(),
    }).toEqual({ 'granted but not needed': [], 'needed but not granted': [] });
  });

  test('reads and writes exactly its keys', () => {
    for (const [action, keys] of [
      ['s3:GetObject', KEYS[stage].read],
      ['s3:PutObject', KEYS[stage].write],
      ['s3:AbortMultipartUpload', KEYS[stage].write],
    ] as const) {
      const found = granting(statements, action).flatMap((s) => s.resources);
      expect(found.map((arn) => arn.replace(/^\$\{ForeshardBucket\w+\.Arn\}\//, ''))).toEqual(keys);
    }
  });

  test('reaches the table and its two indexes alone', () => {
    for (const resource of statements
      .filter((s) => s.actions.some((a) => a.startsWith('dynamodb:')))
      .flatMap((s) => s.resources)) {
      expect(resource).toMatch(/^\$\{ForeshardTable\w+\.Arn\}(\/index\/(ready_rank|live))?$/);
    }
  });

  test('has no managed policy and trusts Lambda alone', () => {
    const role = template.findResources('AWS::IAM::Role')[roleOf(stage)]!.Properties;
    expect(role.ManagedPolicyArns).toBeUndefined();
    expect(role.AssumeRolePolicyDocument.Statement).toEqual([
      { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } },
    ]);
  });
});

test('listing is limited to the keys of runs and workflows', () => {
  const [listing] = granting(statementsOf(roleOf('submit')), 's3:ListBucket');
  expect(listing!.conditions).toEqual({ StringLike: { 's3:prefix': ['runs/*', 'workflows/*'] } });
});

test('provisioned concurrency is that of the aliases that lanes invoke', () => {
  const [provision] = granting(statementsOf(roleOf('prewarm')), 'lambda:PutProvisionedConcurrencyConfig');
  const arn = (mib: number) =>
    `arn:\${AWS::Partition}:lambda:\${AWS::Region}:\${AWS::AccountId}:function:foreshard-execute-${mib}:live`;
  expect(provision!.resources).toEqual(EXECUTE_TIERS_MIB.map(arn));
});

test('metrics are limited to the namespace', () => {
  const [metrics] = granting(statementsOf(roleOf('execute')), 'cloudwatch:PutMetricData');
  expect(metrics!.conditions).toEqual({ StringEquals: { 'cloudwatch:namespace': 'Foreshard' } });
});

test('only the one state machine is started, its tokens answered, its executions looked at', () => {
  const statements = STAGES.flatMap((stage) => statementsOf(roleOf(stage)));
  const on = (action: string) => new Set(granting(statements, action).flatMap((s) => s.resources));
  const arn = (rest: string) => `arn:\${AWS::Partition}:states:\${AWS::Region}:\${AWS::AccountId}:${rest}`;
  expect(on('states:StartExecution')).toEqual(new Set([arn('stateMachine:foreshard')]));
  expect(on('states:SendTaskSuccess')).toEqual(
    new Set([arn('stateMachine:foreshard'), arn('stateMachine:foreshard/lanes')]),
  );
  expect(on('states:DescribeExecution')).toEqual(new Set([arn('execution:foreshard:*')]));
});

/** Actions for which AWS knows no resource (Service Authorization Reference). */
const WITHOUT_RESOURCE = [
  'cloudwatch:GetMetricData',
  'cloudwatch:PutMetricData',
  'lambda:GetAccountSettings',
  'logs:CreateLogDelivery',
  'logs:GetLogDelivery',
  'logs:UpdateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:DescribeResourcePolicies',
  'logs:DescribeLogGroups',
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  'xray:GetSamplingRules',
  'xray:GetSamplingTargets',
];

test('no role of the deployment has a wildcard beyond keys, executions and timers', () => {
  const roles = resources('AWS::IAM::Role').map(([id]) => id);
  const statements = roles.flatMap((id) => statementsOf(id));
  expect(statements.length).toBeGreaterThan(30);
  for (const { actions, resources: on } of statements) {
    expect(actions.join()).not.toContain('*');
    for (const resource of on.filter((arn) => arn.includes('*'))) {
      if (resource === '*') {
        expect(WITHOUT_RESOURCE).toEqual(expect.arrayContaining(actions));
      } else {
        expect(resource).toMatch(
          /(\/(runs|uploads|bundles|workflows|policies)\/\*|:execution:foreshard(\/lanes)?:\*|:schedule\/foreshard\/\*)$/,
        );
      }
    }
  }
});

test('only API Gateway has a managed policy, the one that it insists on', () => {
  const managed = resources('AWS::IAM::Role').filter(([, role]) => role.Properties.ManagedPolicyArns);
  expect(managed.map(([, role]) => JSON.stringify(role.Properties.ManagedPolicyArns))).toEqual([
    expect.stringContaining('AmazonAPIGatewayPushToCloudWatchLogs'),
  ]);
});
