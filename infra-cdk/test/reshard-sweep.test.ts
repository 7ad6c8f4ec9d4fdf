import { expect, test } from 'vitest';
import { resources } from './deployment';

const reshard = resources('AWS::Lambda::Function').find(
  ([, f]) => f.Properties.FunctionName === 'foreshard-reshard',
)![0];

const [queue] = resources('AWS::SQS::Queue')[0]!;

test('reshard is started every minute, with an id in the input', () => {
  const [, rule] = resources('AWS::Events::Rule').find(([, r]) => r.Properties.Name === 'foreshard-sweep')!;
  expect(rule.Properties).toMatchObject({
    Name: 'foreshard-sweep',
    ScheduleExpression: 'rate(1 minute)',
    State: 'ENABLED',
  });
  expect(rule.Properties.Targets).toEqual([
    {
      Id: 'Target0',
      Arn: { 'Fn::GetAtt': [reshard, 'Arn'] },
      Input: '{"id":"sweep"}',
      DeadLetterConfig: { Arn: { 'Fn::GetAtt': [queue, 'Arn'] } },
      RetryPolicy: { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 },
    },
  ]);
});

test('a sweep that fails is left to the next one, and said', () => {
  const configs = resources('AWS::Lambda::EventInvokeConfig').map(([, config]) => config.Properties);
  expect(configs.filter((config) => config.FunctionName.Ref === reshard)).toEqual([
    {
      FunctionName: { Ref: reshard },
      Qualifier: '$LATEST',
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 60,
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [queue, 'Arn'] } } },
    },
  ]);
});
