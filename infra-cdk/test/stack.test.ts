import { expect, test } from 'vitest';
import { template, text } from './deployment';

test('the outputs are what the command line looks for', () => {
  const outputs = template.toJSON().Outputs;
  const values = Object.fromEntries(Object.entries(outputs).map(([name, { Value }]: any) => [name, text(Value)]));
  expect(values).toEqual({
    ApiUrl: expect.stringMatching(
      /^https:\/\/\$\{ForeshardApi\w+\}\.execute-api\.\$\{AWS::Region\}\.\$\{AWS::URLSuffix\}\/\$\{\w+v1\w+\}\/$/,
    ),
    TableName: expect.stringMatching(/^\$\{ForeshardTable\w+\}$/),
    BucketName: expect.stringMatching(/^\$\{ForeshardBucket\w+\}$/),
    StateMachineArn: expect.stringMatching(/^\$\{ForeshardStateMachine\w+\}$/),
    TaskRoleArn: expect.stringMatching(/^\$\{ForeshardTaskRole\w+\.Arn\}$/),
    Prefix: 'foreshard',
  });
});
