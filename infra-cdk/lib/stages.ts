/** Names the stages that have a function, and what is deployed for them. */

/** Stages with one function each. */
export const CONTROL_STAGES = ['submit', 'plan', 'dispatch', 'aggregate', 'reshard', 'forecast', 'prewarm'] as const;
/** Every stage that has a binary; execute has one function for each memory tier. */
export const STAGES = [...CONTROL_STAGES, 'execute'] as const;

export type ControlStage = (typeof CONTROL_STAGES)[number];
export type Stage = (typeof STAGES)[number];

/** The alias that lanes invoke: provisioned concurrency is set on it, and a deployment moves it to the next version. */
export const LIVE = 'live';

/** What every resource with a fixed name is called, or begins with, unless the deployment says otherwise. */
export const DEFAULT_NAME = 'foreshard';

/** Lambda allows 64 characters for a function; the longest of ours ends in `-execute-10240`. */
const NAME = /^[a-z][a-z0-9-]{0,48}[a-z0-9]$/;
/** What `isName` checks, to follow "must be". */
export const NAME_RULE =
  '2 to 50 lower-case letters, digits and hyphens, beginning with a letter and ending without a hyphen';

/** Whether `text` can be the prefix of a deployment. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

/** Name of the function of a control stage. */
export function functionName(prefix: string, stage: ControlStage): string {
  return `${prefix}-${stage}`;
}

/** What the functions of execute begin with; a tier in MiB follows. */
export function executePrefix(prefix: string): string {
  return `${prefix}-execute-`;
}
