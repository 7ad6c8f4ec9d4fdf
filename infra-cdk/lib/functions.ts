/** Describes each stage's function: how large, how long, how many, and which part of the wiring it is told. */
import { CONTROL_STAGES, type ControlStage, STAGES, type Stage } from './stages';

/** Size of a function. */
export interface FunctionShape {
  readonly memoryMib: number;
  readonly timeoutS: number;
  /** `/tmp`; Lambda gives 512 MiB without charge. */
  readonly scratchMib?: number;
  /** Concurrency kept for the function, which is also the most that it can have; used only if the deployment reserves. */
  readonly reserved?: number;
}

/** Lambda's longest timeout (Lambda quotas, "Function timeout"). */
export const LONGEST_TIMEOUT_S = 900;

/**
 * Sizes of the control functions.
 *
 * - submit answers within the 29 s that API Gateway waits for an integration by default.
 * - plan holds a whole workflow: 3008 MiB is the most that a new account may ask for.
 * - dispatch is short; lanes queue behind its reserved 100 only above some thousand shards a second.
 * - aggregate and reshard read all shards of one run; prewarm those of small runs, and the plans.
 * - forecast holds two weeks of ten series, and the plans of what is in flight.
 */
export const CONTROL_FUNCTIONS: Readonly<Record<ControlStage, FunctionShape>> = {
  submit: { memoryMib: 512, timeoutS: 29, reserved: 20 },
  plan: { memoryMib: 3008, timeoutS: LONGEST_TIMEOUT_S, reserved: 10 },
  dispatch: { memoryMib: 512, timeoutS: 30, reserved: 100 },
  aggregate: { memoryMib: 1024, timeoutS: 300, reserved: 10 },
  reshard: { memoryMib: 1024, timeoutS: 300, reserved: 5 },
  forecast: { memoryMib: 1024, timeoutS: 240, reserved: 1 },
  prewarm: { memoryMib: 512, timeoutS: 120, reserved: 2 },
};

/** Who is told what. The functions read these names in shared/aws/src/config.rs. */
const READERS = {
  FORESHARD_TABLE: STAGES,
  FORESHARD_BUCKET: STAGES,
  FORESHARD_STATE_MACHINE: ['submit', 'aggregate', 'reshard'],
  FORESHARD_EXECUTE_PREFIX: ['submit', 'plan', 'dispatch', 'forecast', 'prewarm'],
  FORESHARD_EXECUTE_TIERS: ['submit', 'plan', 'dispatch', 'forecast', 'prewarm'],
  FORESHARD_ARCHITECTURE: ['submit', 'plan', 'dispatch', 'forecast', 'prewarm'],
  FORESHARD_TASK_ROLE: ['submit', 'execute'],
  FORESHARD_SCHEDULE_GROUP: ['submit'],
  FORESHARD_SCHEDULE_TARGET: ['submit'],
  FORESHARD_SCHEDULE_ROLE: ['submit'],
  FORESHARD_SCHEDULE_DEAD_LETTERS: ['submit'],
  FORESHARD_LANES_MAX: ['submit', 'plan', 'forecast', 'prewarm'],
  FORESHARD_LANE_MEMORY_MIB: ['submit', 'plan', 'forecast', 'prewarm'],
  FORESHARD_METRICS: ['execute'],
  FORESHARD_STARTS_BURST: ['submit'],
  FORESHARD_STARTS_PER_MINUTE: ['submit'],
  RUST_LOG: STAGES,
} as const satisfies Record<string, readonly Stage[]>;

/** A value for each variable; undefined ones are not set. */
export type Wiring = Readonly<Record<keyof typeof READERS, string | undefined>>;

/** The part of the wiring that `stage` reads. */
export function environment(stage: Stage, wiring: Wiring): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const name of Object.keys(READERS) as (keyof Wiring)[]) {
    const readers: readonly Stage[] = READERS[name];
    const value = wiring[name];
    if (readers.includes(stage) && value !== undefined) {
      variables[name] = value;
    }
  }
  return variables;
}

/** What the account must be able to set aside when the deployment reserves; Lambda keeps 100 for everyone else. */
export const RESERVED_TOTAL = CONTROL_STAGES.reduce((sum, stage) => sum + (CONTROL_FUNCTIONS[stage].reserved ?? 0), 0);
