import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { expect, test } from 'vitest';
import { Problem, propsFromContext } from '../lib';
import { KEYS } from '../lib/context';

const read = (context: Record<string, unknown>) => propsFromContext(new App({ context }).node);

test('nothing is configured by default', () => {
  expect(read({})).toEqual({});
});

test('every property can be given as text', () => {
  expect(
    read({
      name: 'nightly',
      architecture: 'x86_64',
      artifacts: 'built',
      lanesMax: '4',
      laneMemoryMib: '2048',
      executeTiersMib: '512, 1769',
      taskRoles: 'arn:aws:iam::123456789012:role/a,arn:aws:iam::123456789012:role/b',
      retain: 'false',
      logRetention: '7',
      runsDays: '30',
      reserveConcurrency: 'true',
      kmsKey: 'customer',
      apiAccounts: '123456789012, 210987654321',
      apiVpcEndpoints: 'vpce-0a1b2c',
      apiSourceIps: '192.0.2.0/24,2001:db8::1',
      apiRatePerS: '20',
      apiBurst: '40',
      apiSubmitRatePerS: '5',
      apiSubmitBurst: '10',
      startsBurst: '5',
      startsPerMinute: '60',
      monitoring: 'false',
      alarmTopic: 'arn:aws:sns:eu-west-1:123456789012:on-call',
      alarmEmail: 'on-call@example.com',
      tracing: 'false',
      metrics: 'false',
    }),
  ).toEqual({
    name: 'nightly',
    architecture: lambda.Architecture.X86_64,
    artifacts: 'built',
    lanesMax: 4,
    laneMemoryMib: 2048,
    executeTiersMib: [512, 1769],
    taskRoles: ['arn:aws:iam::123456789012:role/a', 'arn:aws:iam::123456789012:role/b'],
    retain: false,
    logRetention: RetentionDays.ONE_WEEK,
    runsDays: 30,
    reserveConcurrency: true,
    kmsKey: 'customer',
    apiAccounts: ['123456789012', '210987654321'],
    apiVpcEndpoints: ['vpce-0a1b2c'],
    apiSourceIps: ['192.0.2.0/24', '2001:db8::1'],
    apiRatePerS: 20,
    apiBurst: 40,
    apiSubmitRatePerS: 5,
    apiSubmitBurst: 10,
    startsBurst: 5,
    startsPerMinute: 60,
    monitoring: false,
    alarmTopic: 'arn:aws:sns:eu-west-1:123456789012:on-call',
    alarmEmail: 'on-call@example.com',
    tracing: false,
    metrics: false,
  });
});

test('JSON values of cdk.json are read as well', () => {
  expect(read({ lanesMax: 4, retain: false })).toEqual({ lanesMax: 4, retain: false });
});

test.each([
  ['name', 'Nightly'],
  ['name', '9'],
  ['name', 'ends-'],
  ['name', 'x'.repeat(51)],
  ['architecture', 'x86'],
  ['lanesMax', '0'],
  ['lanesMax', '1.5'],
  ['laneMemoryMib', 'much'],
  ['executeTiersMib', '512,256'],
  ['executeTiersMib', '64'],
  ['executeTiersMib', '20480'],
  ['executeTiersMib', ''],
  ['retain', 'yes'],
  ['logRetention', '2'],
  ['kmsKey', 'alias/mine'],
  ['kmsKey', 'arn:aws:kms:eu-west-1:123456789012:alias/mine'],
  ['apiAccounts', '1234'],
  ['apiVpcEndpoints', 'vpc-0a1b2c'],
  ['apiSourceIps', '192.0.2.0/33'],
  ['apiSourceIps', 'example.com'],
  ['apiRatePerS', '0'],
  ['alarmTopic', 'on-call'],
  ['alarmEmail', 'on-call'],
])('%s cannot be `%s`', (key, value) => {
  expect(() => read({ [key]: value })).toThrow(`context \`${key}\` is \`${value}\`, it must be `);
});

test('all wrong values are reported together', () => {
  let problem: unknown;
  try {
    read({ lanesMax: '-1', retain: 'maybe', tracing: 'false' });
  } catch (error) {
    problem = error;
  }
  expect(problem).toBeInstanceOf(Problem);
  expect((problem as Problem).message.split('\n')).toEqual([
    'context `lanesMax` is `-1`, it must be a whole number, 1 or more',
    'context `retain` is `maybe`, it must be true or false',
  ]);
});

test('every key is in the README', () => {
  const readme = readFileSync('README.md', 'utf8');
  const rows = readme.split('\n').filter((line) => line.startsWith('| `'));
  expect(KEYS.filter((key) => !rows.some((row) => row.split(' | ')[0]?.includes(`\`${key}\``)))).toEqual([]);
});
