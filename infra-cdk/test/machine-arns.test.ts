import { App, Stack } from 'aws-cdk-lib';
import { expect, test } from 'vitest';
import { machineArns } from '../lib/machine-arns';

test('the names of a machine, of its executions and of its lanes', () => {
  const stack = new Stack(new App(), 'stack', { env: { account: '123456789012', region: 'eu-west-1' } });
  const resolved = stack.resolve(machineArns(stack, 'nightly'));
  const plain = JSON.parse(
    JSON.stringify(resolved, (_, value) => value?.['Fn::Join']?.[1].join('') ?? value).replaceAll(
      '[object Object]',
      'aws',
    ),
  );
  expect(plain).toEqual({
    machine: 'arn:aws:states:eu-west-1:123456789012:stateMachine:nightly',
    lanes: 'arn:aws:states:eu-west-1:123456789012:stateMachine:nightly/lanes',
    executions: 'arn:aws:states:eu-west-1:123456789012:execution:nightly:*',
    laneExecutions: 'arn:aws:states:eu-west-1:123456789012:execution:nightly/lanes:*',
  });
});
