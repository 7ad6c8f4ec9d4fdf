import { describe, expect, test } from 'vitest';
import { resources } from './deployment';

const [queue] = resources('AWS::SQS::Queue')[0]!;

describe.each([
  ['reshard', 'sweep'],
  ['prewarm', 'prewarm'],
])('%s', (stage, id) => {
  const [fn] = resources('AWS::Lambda::Function').find(([, f]) => f.Properties.FunctionName === `foreshard-${stage}`)!;

  test('is started every minute, with an id in the input', () => {
    const [, rule] = resources('AWS::Events::Rule').find(([, r]) => r.Properties.Name === `foreshard-${id}`)!;
    expect(rule.Properties).toMatchObject({ ScheduleExpression: 'rate(1 minute)', State: 'ENABLED' });
    expect(rule.Properties.Targets).toEqual([
      {
        Id: 'Target0',
        Arn: { 'Fn::GetAtt': [fn, 'Arn'] },
        Input: `{"id":"${id}"}`,
        DeadLetterConfig: { Arn: { 'Fn::GetAtt': [queue, 'Arn'] } },
        RetryPolicy: { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 },
      },
    ]);
  });

  test('when it fails it is left to the next minute, and said', () => {
    const configs = resources('AWS::Lambda::EventInvokeConfig').map(([, config]) => config.Properties);
    expect(configs.filter((config) => config.FunctionName.Ref === fn)).toEqual([
      {
        FunctionName: { Ref: fn },
        Qualifier: '$LATEST',
        MaximumRetryAttempts: 0,
        MaximumEventAgeInSeconds: 60,
        DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [queue, 'Arn'] } } },
      },
    ]);
  });
});
