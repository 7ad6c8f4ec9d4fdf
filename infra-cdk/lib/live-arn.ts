/** Names the alias that lanes invoke, before it exists. */
import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { LIVE } from './stages';

/** ARN of the alias `live` of the function `name` in the account and region of `scope`. */
export function liveArn(scope: Construct, name: string): string {
  return Stack.of(scope).formatArn({
    service: 'lambda',
    resource: 'function',
    resourceName: `${name}:${LIVE}`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
