import { describe, expect, test } from 'vitest';
import { STAGES } from '../lib';
import { resources, roleId, type Statement, statementsOf, template } from './deployment';

const ITEMS_OF_AGGREGATE = [
  'dynamodb:BatchGetItem',
  'dynamodb:BatchWriteItem',
  'dynamodb:ConditionCheckItem',
  'dynamodb:DeleteItem',
  'dynamodb:GetItem',
  'dynamodb:PutItem',
  'dynamodb:Query',
  'dynamodb:UpdateItem',
];
const LOGS = ['logs:CreateLogStream', 'logs:PutLogEvents'];
const OBJECTS = ['s3:GetObject', 's3:PutObject'];

/** Every action of every stage. Written out a second time, on purpose: a stage gets more only if someone says so twice. */
const ACTIONS: Record<(typeof STAGES)[number], string[]> = {
  submit: [
    'dynamodb:ConditionCheckItem',
    'dynamodb:DeleteItem',
    'dynamodb:GetItem',
    'dynamodb:PutItem',
    'dynamodb:Query',
    'dynamodb:UpdateItem',
    ...LOGS,
    ...OBJECTS,
    's3:ListBucket',
    'states:SendTaskSuccess',
    'states:StartExecution',
  ],
  plan: [
    'dynamodb:BatchWriteItem',
    'dynamodb:GetItem',
    'dynamodb:PutItem',
    'dynamodb:Query',
    'dynamodb:UpdateItem',
    ...LOGS,
    ...OBJECTS,
  ],
  dispatch: [
    'dynamodb:BatchGetItem',
    'dynamodb:BatchWriteItem',
    'dynamodb:ConditionCheckItem',
    'dynamodb:GetItem',
    'dynamodb:PutItem',
    'dynamodb:Query',
    'dynamodb:UpdateItem',
    ...LOGS,
    ...OBJECTS,
    'states:SendTaskSuccess',
  ],
  execute: [
    'cloudwatch:PutMetricData',
    'dynamodb:BatchGetItem',
    'dynamodb:GetItem',
    'dynamodb:UpdateItem',
    ...LOGS,
    ...OBJECTS,
    'sts:AssumeRole',
    'sts:TagSession',
  ],
  aggregate: [...ITEMS_OF_AGGREGATE, ...LOGS, ...OBJECTS, 'states:StartExecution'],
  reshard: [
    ...ITEMS_OF_AGGREGATE,
    ...LOGS,
    ...OBJECTS,
    'states:DescribeExecution',
    'states:SendTaskSuccess',
    'states:StartExecution',
  ],
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
};

const roleOf = (stage: string) => roleId(`Foreshard${stage.charAt(0).toUpperCase()}${stage.slice(1)}Role`);
const granting = (statements: Statement[], action: string) => statements.filter((s) => s.actions.includes(action));

describe.each(STAGES)('%s', (stage) => {
  const statements = statementsOf(roleOf(stage));

  test('may do exactly what its ports need', () => {
    expect(statements.flatMap((s) => s.actions).sort()).toEqual([...ACTIONS[stage]].sort());
  });

  test('reads and writes exactly its keys', () => {
    for (const [action, keys] of [
      ['s3:GetObject', KEYS[stage].read],
      ['s3:PutObject', KEYS[stage].write],
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
  'cloudwatch:PutMetricData',
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

test('no role of the deployment has a wildcard beyond keys and executions', () => {
  const roles = resources('AWS::IAM::Role').map(([id]) => id);
  const statements = roles.flatMap((id) => statementsOf(id));
  expect(statements.length).toBeGreaterThan(30);
  for (const { actions, resources: on } of statements) {
    expect(actions.join()).not.toContain('*');
    for (const resource of on.filter((arn) => arn.includes('*'))) {
      if (resource === '*') {
        expect(WITHOUT_RESOURCE).toEqual(expect.arrayContaining(actions));
      } else {
        expect(resource).toMatch(/(\/(runs|uploads|bundles|workflows)\/\*|:execution:foreshard(\/lanes)?:\*)$/);
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
