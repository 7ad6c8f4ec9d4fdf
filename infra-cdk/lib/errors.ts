/** The error words that the state machine retries and catches. */

/** `errorType` of a stage that fails: the names of `StageError` in shared/stages/src/error.rs, kept equal by a test. */
export const STAGE_ERRORS = ['Rejected', 'Unavailable', 'Conflict'] as const;
export type StageError = (typeof STAGE_ERRORS)[number];

/** `Rejected` is missing: the same input is rejected again. */
const RETRIED_STAGE_ERRORS: readonly StageError[] = ['Conflict', 'Unavailable'];

/**
 * Failures of the platform, after which the same invocation may succeed.
 * Source: Step Functions developer guide, "Handling errors": Lambda's service, client, throttling and unknown errors.
 */
const RETRIED_PLATFORM_ERRORS = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
  'Lambda.Unknown',
  'Sandbox.Timedout',
  'States.Timeout',
  'Runtime.ExitError',
] as const;

/** What a control stage is tried again after. */
export const RETRIED_ERRORS: readonly string[] = [...RETRIED_STAGE_ERRORS, ...RETRIED_PLATFORM_ERRORS];
