/** Names the state machine before it exists, for those that it invokes and that start it. */
import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { LANES_LABEL } from './lanes';

/** ARNs made from the machine's name. References would be a cycle: the machine invokes functions that start it. */
export interface MachineArns {
  readonly machine: string;
  /** The machine that the children of the distributed map belong to. */
  readonly lanes: string;
  /** Its executions. */
  readonly executions: string;
  /** Executions of the children. */
  readonly laneExecutions: string;
}

/** ARNs of the state machine `name` in the account and region of `scope`. */
export function machineArns(scope: Construct, name: string): MachineArns {
  const arn = (resource: string, resourceName: string) =>
    Stack.of(scope).formatArn({
      service: 'states',
      resource,
      resourceName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  return {
    machine: arn('stateMachine', name),
    lanes: arn('stateMachine', `${name}/${LANES_LABEL}`),
    executions: arn('execution', `${name}:*`),
    laneExecutions: arn('execution', `${name}/${LANES_LABEL}:*`),
  };
}
