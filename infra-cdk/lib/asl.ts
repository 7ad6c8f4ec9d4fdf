/** The part of the Amazon States Language that the state machine uses (JSONPath), as plain data. */

/** A JSON value with paths in it: keys that end in `.$` hold a path. */
export type Template = string | number | boolean | { readonly [key: string]: Template };

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds: number;
  readonly BackoffRate: number;
  readonly MaxAttempts: number;
  readonly MaxDelaySeconds: number;
  readonly JitterStrategy: 'FULL';
}

export interface Catcher {
  readonly ErrorEquals: readonly string[];
  /** Where the error goes in the state's input; null forgets it. */
  readonly ResultPath: string | null;
  readonly Next: string;
}

interface Described {
  readonly Comment?: string;
}

type Then = { readonly Next: string } | { readonly End: true };

/** A timeout and a catch are required: without them a lost invocation waits for ever, or ends the execution. */
export type Task = Described &
  Then & {
    readonly Type: 'Task';
    readonly Resource: string;
    readonly Parameters: Template;
    readonly ResultSelector?: Template;
    readonly ResultPath?: string | null;
    readonly OutputPath?: string;
    readonly TimeoutSeconds: number;
    readonly Retry?: readonly Retrier[];
    readonly Catch: readonly Catcher[];
  };

export type MapState = Described &
  Then & {
    readonly Type: 'Map';
    readonly ItemsPath: string;
    readonly ItemSelector: Template;
    readonly ItemProcessor: States & {
      readonly ProcessorConfig:
        | { readonly Mode: 'INLINE' }
        | { readonly Mode: 'DISTRIBUTED'; readonly ExecutionType: 'STANDARD' };
    };
    readonly MaxConcurrency: number;
    readonly Label?: string;
    readonly ToleratedFailureCount?: number;
    readonly ResultPath: string | null;
    readonly Catch: readonly Catcher[];
  };

export interface Choice extends Described {
  readonly Type: 'Choice';
  readonly Choices: readonly { readonly Variable: string; readonly StringEquals: string; readonly Next: string }[];
  readonly Default: string;
}

export interface Wait extends Described {
  readonly Type: 'Wait';
  readonly SecondsPath: string;
  readonly Next: string;
}

export type Pass = Described & Then & { readonly Type: 'Pass'; readonly Result: Template };

export interface Fail extends Described {
  readonly Type: 'Fail';
  readonly Error: string;
  readonly Cause: string;
}

export type State = Task | MapState | Choice | Wait | Pass | Fail;

export interface States {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

export type Definition = Described & States;
