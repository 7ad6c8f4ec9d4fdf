/** The lane: one branch that executes a shard after another until its run has none left. */
import type { Catcher, Choice, Definition, MapState, Retrier, States, Task } from './asl';
import { RETRIED_ERRORS } from './errors';
import { CONTROL_FUNCTIONS, LONGEST_TIMEOUT_S } from './functions';

/** Label of the distributed map; its children run in the machine `<name>/lanes`. */
export const LANES_LABEL = 'lanes';

/** Names that stand for functions in the definition; the deployment puts ARNs in their place. */
export const FUNCTIONS = { plan: '${Plan}', dispatch: '${Dispatch}', aggregate: '${Aggregate}' } as const;

/** Step Functions runs at most so many iterations of an inline map at once (Step Functions, "Map state processing modes"). */
const INLINE_LANES_MOST = 40;
/** The same for a distributed map (Step Functions quotas, "Map Run"). */
const DISTRIBUTED_LANES_MOST = 10_000;
/**
 * More than there can be: the lanes' numbers are input of the map, and a state's input holds so many bytes (Step Functions
 * quotas). A count and no percentage, because LocalStack's parser takes no whole number as a percentage.
 */
const LOST_LANES_MOST = 262_144;

/** A function is cut off by Lambda first, which says why; the state's own timeout is for what Lambda never answers. */
const DISPATCH_TIMEOUT_S = CONTROL_FUNCTIONS.dispatch.timeoutS + 30;
const TASK_TIMEOUT_S = LONGEST_TIMEOUT_S + 60;
const AGGREGATE_TIMEOUT_S = CONTROL_FUNCTIONS.aggregate.timeoutS + 60;
/** A parked lane looks for work again after an hour even if nobody wakes it. */
const PARK_TIMEOUT_S = 3600;

/** Backs off to half a minute, at most three minutes in all; full jitter, because lanes fail together. */
const DISPATCH_ATTEMPTS = 10;
/** A plan that takes too long takes too long again, at fifteen minutes a try. */
const PLAN_ATTEMPTS = 3;

function retry(attempts: number): Retrier[] {
  return [
    {
      ErrorEquals: RETRIED_ERRORS,
      IntervalSeconds: 1,
      BackoffRate: 2,
      MaxAttempts: attempts,
      MaxDelaySeconds: 30,
      JitterStrategy: 'FULL',
    },
  ];
}

function catchAll(resultPath: string | null, next: string): Catcher[] {
  return [{ ErrorEquals: ['States.ALL'], ResultPath: resultPath, Next: next }];
}

const INVOKE = 'arn:aws:states:::lambda:invoke';

/** How the lanes of a round run. */
type LaneMode = 'Inline' | 'Distributed';

/**
 * States of one lane. Their names end in the mode, because a name may occur once in the whole state machine
 * (Amazon States Language, "States"); nothing else differs.
 *
 * ```text
 * Dispatch ─► Route ─┬─ run  ─► Execute ─► Dispatch
 *                    ├─ idle ─► Park ────► Dispatch
 *                    ├─ wait ─► Wait ────► Dispatch
 *                    └─ else ─► LaneEnds
 * ```
 *
 * The lane holds its number, the last answer (`$.next`) and the last outcome or error (`$.finished`), nothing else: each is
 * overwritten, so the payload does not grow with the shards.
 */
export function lane(mode: LaneMode): States {
  const names = {
    dispatch: `Dispatch${mode}`,
    route: `Route${mode}`,
    execute: `Execute${mode}`,
    park: `Park${mode}`,
    wait: `Wait${mode}`,
    laneEnds: `LaneEnds${mode}`,
  };
  return {
    StartAt: names.dispatch,
    States: {
      [names.dispatch]: dispatch(names),
      [names.route]: route(names),
      [names.execute]: execute(names),
      [names.park]: park(names),
      [names.wait]: { Type: 'Wait', SecondsPath: '$.next.answer.wait_s', Next: names.dispatch },
      [names.laneEnds]: { Type: 'Pass', Result: {}, End: true },
    },
  };
}

type Names = Readonly<Record<'dispatch' | 'route' | 'execute' | 'park' | 'wait' | 'laneEnds', string>>;

function dispatch(names: Names): Task {
  return {
    Type: 'Task',
    Comment: 'Settles the finished shard and claims the next',
    Resource: INVOKE,
    Parameters: { FunctionName: FUNCTIONS.dispatch, 'Payload.$': '$' },
    ResultSelector: { 'answer.$': '$.Payload' },
    ResultPath: '$.next',
    TimeoutSeconds: DISPATCH_TIMEOUT_S,
    Retry: retry(DISPATCH_ATTEMPTS),
    Catch: catchAll('$.error', names.laneEnds),
    Next: names.route,
  };
}

function route(names: Names): Choice {
  return {
    Type: 'Choice',
    Choices: [
      { Variable: '$.next.answer.kind', StringEquals: 'run', Next: names.execute },
      { Variable: '$.next.answer.kind', StringEquals: 'idle', Next: names.park },
      { Variable: '$.next.answer.kind', StringEquals: 'wait', Next: names.wait },
    ],
    Default: names.laneEnds,
  };
}

/** Nothing is retried here: dispatch sees every failure, throttling included, and puts the shard back with a time to wait for. */
function execute(names: Names): Task {
  return {
    Type: 'Task',
    Comment: 'Runs the shard on the target that dispatch chose',
    Resource: INVOKE,
    Parameters: { 'FunctionName.$': '$.next.answer.target', 'Payload.$': '$.next.answer.shard' },
    ResultSelector: { 'outcome.$': '$.Payload' },
    ResultPath: '$.finished',
    TimeoutSeconds: TASK_TIMEOUT_S,
    Catch: catchAll('$.finished', names.dispatch),
    Next: names.dispatch,
  };
}

function park(names: Names): Task {
  return {
    Type: 'Task',
    Comment: 'Waits until there is work again',
    Resource: `${INVOKE}.waitForTaskToken`,
    Parameters: {
      FunctionName: FUNCTIONS.dispatch,
      Payload: {
        park: true,
        'run.$': '$.run',
        'round.$': '$.round',
        'lane.$': '$.lane',
        'step.$': '$.next.answer.step',
        'token.$': '$$.Task.Token',
      },
    },
    ResultPath: null,
    TimeoutSeconds: PARK_TIMEOUT_S,
    Catch: catchAll(null, names.dispatch),
    Next: names.dispatch,
  };
}

/** What both maps say. A lane that fails in an inline map takes the others with it: the round is over, and Aggregate is told. */
function lanes(mode: LaneMode, config: MapState['ItemProcessor']['ProcessorConfig']) {
  return {
    Type: 'Map',
    ItemsPath: '$.plan.lanes',
    ItemSelector: { 'run.$': '$.run', 'round.$': '$.round', 'lane.$': '$$.Map.Item.Value' },
    ItemProcessor: { ProcessorConfig: config, ...lane(mode) },
    ResultPath: null,
    Catch: catchAll('$.error', 'Aggregate'),
    Next: 'Aggregate',
  } as const;
}

/** The state machine. Its input is `{run, round}`, its output what aggregate answers. */
export function definition(): Definition {
  return {
    Comment: 'Foreshard: one round of a run',
    StartAt: 'Plan',
    States: {
      Plan: {
        Type: 'Task',
        Comment: 'Plans the run, or reads the plan that it has, and grants the lanes of this round',
        Resource: INVOKE,
        Parameters: { FunctionName: FUNCTIONS.plan, 'Payload.$': '$' },
        ResultSelector: { 'lanes.$': '$.Payload.lanes', 'mode.$': '$.Payload.mode' },
        ResultPath: '$.plan',
        TimeoutSeconds: TASK_TIMEOUT_S,
        Retry: retry(PLAN_ATTEMPTS),
        Catch: catchAll('$.error', 'Aggregate'),
        Next: 'Mode',
      },
      Mode: {
        Type: 'Choice',
        Choices: [{ Variable: '$.plan.mode', StringEquals: 'distributed', Next: 'LanesDistributed' }],
        Default: 'LanesInline',
      },
      LanesInline: { ...lanes('Inline', { Mode: 'INLINE' }), MaxConcurrency: INLINE_LANES_MOST },
      LanesDistributed: {
        ...lanes('Distributed', { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' }),
        MaxConcurrency: DISTRIBUTED_LANES_MOST,
        Label: LANES_LABEL,
        // A lost lane costs parallelism, never the run.
        ToleratedFailureCount: LOST_LANES_MOST,
      },
      Aggregate: {
        Type: 'Task',
        Comment: 'Ends the run, or starts its next round',
        Resource: INVOKE,
        Parameters: { FunctionName: FUNCTIONS.aggregate, 'Payload.$': '$' },
        OutputPath: '$.Payload',
        TimeoutSeconds: AGGREGATE_TIMEOUT_S,
        Retry: retry(DISPATCH_ATTEMPTS),
        Catch: catchAll('$.error', 'RoundLost'),
        End: true,
      },
      RoundLost: {
        Type: 'Fail',
        Error: 'RoundLost',
        Cause: 'Aggregate gave no answer. The sweep of reshard starts the next round of the run.',
      },
    },
  };
}
