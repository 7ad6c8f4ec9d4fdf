import { describe, expect, test } from 'vitest';
import { STAGES, type Stage } from '../lib';
import { environment, RESERVED_TOTAL, type Wiring } from '../lib/functions';
import { lambdaNamed, resources, synthesise, variant } from './deployment';

const NAMES = [
  'FORESHARD_TABLE',
  'FORESHARD_BUCKET',
  'FORESHARD_STATE_MACHINE',
  'FORESHARD_EXECUTE_PREFIX',
  'FORESHARD_EXECUTE_TIERS',
  'FORESHARD_ARCHITECTURE',
  'FORESHARD_TASK_ROLE',
  'FORESHARD_SCHEDULE_GROUP',
  'FORESHARD_SCHEDULE_TARGET',
  'FORESHARD_SCHEDULE_ROLE',
  'FORESHARD_SCHEDULE_DEAD_LETTERS',
  'FORESHARD_LANES_MAX',
  'FORESHARD_LANE_MEMORY_MIB',
  'FORESHARD_METRICS',
  'FORESHARD_STARTS_BURST',
  'FORESHARD_STARTS_PER_MINUTE',
  'RUST_LOG',
] as const;
const ALL = Object.fromEntries(NAMES.map((name) => [name, name.toLowerCase()])) as unknown as Wiring;

/** What shared/aws/src/config.rs reads, by stage, beside table, bucket and log level. */
const READ: Record<Stage, string[]> = {
  submit: [
    'FORESHARD_ARCHITECTURE',
    'FORESHARD_EXECUTE_PREFIX',
    'FORESHARD_EXECUTE_TIERS',
    'FORESHARD_LANES_MAX',
    'FORESHARD_LANE_MEMORY_MIB',
    'FORESHARD_SCHEDULE_DEAD_LETTERS',
    'FORESHARD_SCHEDULE_GROUP',
    'FORESHARD_SCHEDULE_ROLE',
    'FORESHARD_SCHEDULE_TARGET',
    'FORESHARD_STARTS_BURST',
    'FORESHARD_STARTS_PER_MINUTE',
    'FORESHARD_STATE_MACHINE',
    'FORESHARD_TASK_ROLE',
  ],
  plan: [
    'FORESHARD_ARCHITECTURE',
    'FORESHARD_EXECUTE_PREFIX',
    'FORESHARD_EXECUTE_TIERS',
    'FORESHARD_LANES_MAX',
    'FORESHARD_LANE_MEMORY_MIB',
  ],
  forecast: [
    'FORESHARD_ARCHITECTURE',
    'FORESHARD_EXECUTE_PREFIX',
    'FORESHARD_EXECUTE_TIERS',
    'FORESHARD_LANES_MAX',
    'FORESHARD_LANE_MEMORY_MIB',
  ],
  dispatch: ['FORESHARD_ARCHITECTURE', 'FORESHARD_EXECUTE_PREFIX', 'FORESHARD_EXECUTE_TIERS'],
  aggregate: ['FORESHARD_STATE_MACHINE'],
  reshard: ['FORESHARD_STATE_MACHINE'],
  prewarm: [
    'FORESHARD_ARCHITECTURE',
    'FORESHARD_EXECUTE_PREFIX',
    'FORESHARD_EXECUTE_TIERS',
    'FORESHARD_LANES_MAX',
    'FORESHARD_LANE_MEMORY_MIB',
  ],
  execute: ['FORESHARD_METRICS', 'FORESHARD_TASK_ROLE'],
};

describe('environment', () => {
  test.each(STAGES)('%s is told what it reads and nothing else', (stage) => {
    expect(Object.keys(environment(stage, ALL)).sort()).toEqual(
      ['FORESHARD_BUCKET', 'FORESHARD_TABLE', 'RUST_LOG', ...READ[stage]].sort(),
    );
  });

  test('what is not configured is not set', () => {
    expect(environment('plan', { ...ALL, FORESHARD_LANES_MAX: undefined })).not.toHaveProperty('FORESHARD_LANES_MAX');
    const variables = lambdaNamed('foreshard-submit').Environment.Variables;
    for (const name of ['FORESHARD_LANES_MAX', 'FORESHARD_LANE_MEMORY_MIB', 'FORESHARD_STARTS_BURST']) {
      expect(variables).not.toHaveProperty(name);
    }
  });

  test('nothing lets a request without an identity in', () => {
    expect(JSON.stringify(synthesise().toJSON())).not.toContain('FORESHARD_LOCAL_IDENTITY');
  });

  test('the values of a deployment', () => {
    const from = synthesise({
      monitoring: false,
      lanesMax: 4,
      laneMemoryMib: 2048,
      metrics: false,
      startsBurst: 5,
      startsPerMinute: 60,
    });
    expect(lambdaNamed('foreshard-submit', from).Environment.Variables).toMatchObject({
      FORESHARD_TABLE: { Ref: expect.stringMatching(/^ForeshardTable/) },
      FORESHARD_BUCKET: { Ref: expect.stringMatching(/^ForeshardBucket/) },
      FORESHARD_EXECUTE_PREFIX: 'foreshard-execute-',
      FORESHARD_EXECUTE_TIERS: '128,256,512,1024,1769,3538,5307,7076,10240',
      FORESHARD_ARCHITECTURE: 'arm64',
      FORESHARD_LANES_MAX: '4',
      FORESHARD_LANE_MEMORY_MIB: '2048',
      FORESHARD_STARTS_BURST: '5',
      FORESHARD_STARTS_PER_MINUTE: '60',
      RUST_LOG: 'info',
    });
    expect(lambdaNamed('foreshard-execute-128', from).Environment.Variables.FORESHARD_METRICS).toBe('off');
  });
});

test.each([
  ['submit', 512, 29],
  ['plan', 3008, 900],
  ['dispatch', 512, 30],
  ['aggregate', 1024, 300],
  ['reshard', 1024, 300],
  ['prewarm', 512, 120],
])('%s has %i MiB and %i s', (stage, memoryMib, timeoutS) => {
  const properties = lambdaNamed(`foreshard-${stage}`);
  expect([properties.MemorySize, properties.Timeout]).toEqual([memoryMib, timeoutS]);
});

test('concurrency is reserved only on request', () => {
  const reserved = (on: boolean) =>
    resources('AWS::Lambda::Function', variant({ reserveConcurrency: on }))
      .map(([, f]) => f.Properties.ReservedConcurrentExecutions)
      .filter((n) => n !== undefined);
  expect(reserved(false)).toEqual([]);
  expect(reserved(true)).toHaveLength(7);
  expect(reserved(true).reduce((a, b) => a + b, 0)).toBe(RESERVED_TOTAL);
  // The number that the documentation of the property gives.
  expect(RESERVED_TOTAL).toBe(148);
});
