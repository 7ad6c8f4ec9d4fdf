import validate from 'asl-validator';
import { describe, expect, test } from 'vitest';
import type { MapState, State, States, Task } from '../lib/asl';
import { RETRIED_ERRORS } from '../lib/errors';
import { CONTROL_FUNCTIONS } from '../lib/functions';
import { definition, FUNCTIONS, LANES_LABEL, lane } from '../lib/lanes';
import { source } from './rust-source';

const machine = definition();
const inline = machine.States.LanesInline as MapState;
const distributed = machine.States.LanesDistributed as MapState;

/** Every state, also those inside the maps, with the way to it. */
function everyState(states: States, path = ''): [string, State][] {
  return Object.entries(states.States).flatMap(([name, state]) => [
    [path + name, state] as [string, State],
    ...(state.Type === 'Map' ? everyState(state.ItemProcessor, `${path}${name}/`) : []),
  ]);
}

const tasks = everyState(machine).filter((entry): entry is [string, Task] => entry[1].Type === 'Task');

test('the states of the machine', () => {
  expect(everyState(machine).map(([path, state]) => `${path}: ${state.Type}`)).toMatchInlineSnapshot(`
    [
      "Plan: Task",
      "Mode: Choice",
      "LanesInline: Map",
      "LanesInline/DispatchInline: Task",
      "LanesInline/RouteInline: Choice",
      "LanesInline/ExecuteInline: Task",
      "LanesInline/ParkInline: Task",
      "LanesInline/WaitInline: Wait",
      "LanesInline/LaneEndsInline: Pass",
      "LanesDistributed: Map",
      "LanesDistributed/DispatchDistributed: Task",
      "LanesDistributed/RouteDistributed: Choice",
      "LanesDistributed/ExecuteDistributed: Task",
      "LanesDistributed/ParkDistributed: Task",
      "LanesDistributed/WaitDistributed: Wait",
      "LanesDistributed/LaneEndsDistributed: Pass",
      "Aggregate: Task",
      "RoundLost: Fail",
    ]
  `);
});

test('it is Amazon States Language', () => {
  const arn = 'arn:aws:lambda:us-east-1:123456789012:function:foreshard';
  const source = Object.values(FUNCTIONS).reduce((json, name) => json.replaceAll(name, arn), JSON.stringify(machine));
  const { isValid, errorsText } = validate(JSON.parse(source));
  expect(isValid, isValid ? '' : errorsText('\n')).toBe(true);
});

test('no name occurs twice, which Step Functions refuses', () => {
  const names = everyState(machine).map(([path]) => path.split('/').at(-1));
  expect(new Set(names).size).toBe(names.length);
});

test('a broken definition would be seen', () => {
  const broken = JSON.parse(JSON.stringify(machine).replaceAll('"Next":"Mode"', '"Next":"Nowhere"'));
  expect(validate(broken).isValid).toBe(false);
});

test('no size of a run changes the definition, which is far below 1 MB', () => {
  expect(JSON.stringify(machine).length).toBeLessThan(16 * 1024);
});

describe('every task', () => {
  test.each(tasks)('%s ends, and catches everything', (_path, task) => {
    expect(task.TimeoutSeconds).toBeGreaterThan(0);
    expect(task.TimeoutSeconds).toBeLessThanOrEqual(3600);
    expect(task.Catch.map((catcher) => catcher.ErrorEquals)).toEqual([['States.ALL']]);
  });

  test('waits longer than its function runs', () => {
    const { Plan, Aggregate } = machine.States as Record<string, Task>;
    const { DispatchInline: Dispatch, ExecuteInline: Execute } = lane('Inline').States as Record<string, Task>;
    expect(Plan!.TimeoutSeconds).toBeGreaterThan(CONTROL_FUNCTIONS.plan.timeoutS);
    expect(Dispatch!.TimeoutSeconds).toBeGreaterThan(CONTROL_FUNCTIONS.dispatch.timeoutS);
    expect(Execute!.TimeoutSeconds).toBeGreaterThan(900);
    expect(Aggregate!.TimeoutSeconds).toBeGreaterThan(CONTROL_FUNCTIONS.aggregate.timeoutS);
  });
});

describe('the lane', () => {
  test('is the same in both maps, but for the ends of the names', () => {
    const body = ({ ProcessorConfig: _, ...states }: MapState['ItemProcessor'], mode: string) =>
      JSON.parse(JSON.stringify(states).replaceAll(`${mode}"`, '"'));
    expect(body(distributed.ItemProcessor, 'Distributed')).toEqual(body(inline.ItemProcessor, 'Inline'));
    expect(body(inline.ItemProcessor, 'Inline').StartAt).toBe('Dispatch');
    expect(inline.ItemSelector).toEqual(distributed.ItemSelector);
    expect(inline.ItemsPath).toEqual(distributed.ItemsPath);
  });

  const states = Object.fromEntries(
    Object.entries(lane('Inline').States).map(([name, state]) => [name.replace(/Inline$/, ''), state]),
  ) as Record<string, any>;

  test('tries dispatch again with full jitter, and ends without harm when that does not help', () => {
    expect(states.Dispatch.Retry).toEqual([
      {
        ErrorEquals: RETRIED_ERRORS,
        IntervalSeconds: 1,
        BackoffRate: 2,
        MaxAttempts: 10,
        MaxDelaySeconds: 30,
        JitterStrategy: 'FULL',
      },
    ]);
    expect(states.Dispatch.Catch[0]).toMatchObject({ ResultPath: '$.error', Next: 'LaneEndsInline' });
    expect(states.Dispatch.ResultPath).toBe('$.next');
  });

  test('leaves every failure of execute to dispatch', () => {
    expect(states.Execute.Retry).toBeUndefined();
    expect(states.Execute.Catch[0]).toMatchObject({ ResultPath: '$.finished', Next: 'DispatchInline' });
    expect(states.Execute.Parameters).toEqual({
      'FunctionName.$': '$.next.answer.target',
      'Payload.$': '$.next.answer.shard',
    });
  });

  test('parks with its step and its token, and forgets what the parking answered', () => {
    expect(states.Park.Resource).toBe('arn:aws:states:::lambda:invoke.waitForTaskToken');
    expect(states.Park.Parameters.Payload).toEqual({
      park: true,
      'run.$': '$.run',
      'round.$': '$.round',
      'lane.$': '$.lane',
      'step.$': '$.next.answer.step',
      'token.$': '$$.Task.Token',
    });
    expect(states.Park.ResultPath).toBeNull();
    expect(states.Park.Catch[0]).toMatchObject({ ResultPath: null, Next: 'DispatchInline' });
  });

  test('goes where the answer says, and ends on any other', () => {
    const ways = states.Route.Choices.map((c: any) => [c.Variable, c.StringEquals, c.Next]);
    expect(ways).toEqual([
      ['$.next.answer.kind', 'run', 'ExecuteInline'],
      ['$.next.answer.kind', 'idle', 'ParkInline'],
      ['$.next.answer.kind', 'wait', 'WaitInline'],
    ]);
    expect(states.Route.Default).toBe('LaneEndsInline');
    expect(states.LaneEnds).toEqual({ Type: 'Pass', Result: {}, End: true });
  });
});

describe('the round', () => {
  test('forgets what the lanes leave, and tells aggregate what went wrong', () => {
    for (const map of [inline, distributed]) {
      expect(map.ResultPath).toBeNull();
      expect(map.Catch).toEqual([{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Aggregate' }]);
      expect(map).not.toHaveProperty('Retry');
    }
    expect((machine.States.Plan as Task).Catch[0]).toMatchObject({ ResultPath: '$.error', Next: 'Aggregate' });
  });

  test('runs 40 lanes inline at most, and loses lanes of a distributed map without failing', () => {
    expect(inline.ItemProcessor.ProcessorConfig).toEqual({ Mode: 'INLINE' });
    expect(inline.MaxConcurrency).toBe(40);
    expect(distributed).toMatchObject({ MaxConcurrency: 10_000, ToleratedFailureCount: 262_144, Label: LANES_LABEL });
    expect(distributed.ItemProcessor.ProcessorConfig).toEqual({ Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' });
  });
});

test('the definition weighs what every plan says of it, with each ARN at its longest', () => {
  // Lambda, "FunctionName": an unqualified ARN has at most 140 characters.
  const longest = JSON.stringify(machine).replaceAll(/\$\{\w+\}/g, 'x'.repeat(140));
  const limits = source('shared/model/src/limits.rs');
  const declared = /pub const DEFINITION_DEPLOYED_BYTES: usize = ([\d_]+);/.exec(limits);
  expect(Buffer.byteLength(longest)).toBe(Number(declared?.[1]?.replaceAll('_', '')));
});
