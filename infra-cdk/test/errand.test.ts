import { describe, expect, test } from 'vitest';
import { PREWARM } from '../lib/errand';
import { resources } from './deployment';
import { source } from './rust-source';

const [queue] = resources('AWS::SQS::Queue')[0]!;

describe.each([
  ['reshard', 'sweep', 1],
  ['forecast', 'forecast', 5],
  ['prewarm', 'prewarm', 5],
  ['prewarm', 'admitted', 1],
])('%s by %s', (stage, id, minutes) => {
  const [fn] = resources('AWS::Lambda::Function').find(([, f]) => f.Properties.FunctionName === `foreshard-${stage}`)!;

  test('is started at its rate, with an id in the input', () => {
    const [, rule] = resources('AWS::Events::Rule').find(([, r]) => r.Properties.Name === `foreshard-${id}`)!;
    expect(rule.Properties).toMatchObject({
      ScheduleExpression: `rate(${minutes} minute${minutes > 1 ? 's' : ''})`,
      State: 'ENABLED',
    });
    expect(rule.Properties.Targets).toEqual([
      {
        Id: 'Target0',
        Arn: { 'Fn::GetAtt': [fn, 'Arn'] },
        Input: `{"id":"${id}"}`,
        DeadLetterConfig: { Arn: { 'Fn::GetAtt': [queue, 'Arn'] } },
        RetryPolicy: { MaximumEventAgeInSeconds: 60 * minutes, MaximumRetryAttempts: 0 },
      },
    ]);
  });
});

describe.each([
  ['reshard', 1],
  ['forecast', 5],
  ['prewarm', 5],
])('%s', (stage, minutes) => {
  const [fn] = resources('AWS::Lambda::Function').find(([, f]) => f.Properties.FunctionName === `foreshard-${stage}`)!;

  test('when it fails it is left to the next time, and said', () => {
    const configs = resources('AWS::Lambda::EventInvokeConfig').map(([, config]) => config.Properties);
    expect(configs.filter((config) => config.FunctionName.Ref === fn)).toEqual([
      {
        FunctionName: { Ref: fn },
        Qualifier: '$LATEST',
        MaximumRetryAttempts: 0,
        MaximumEventAgeInSeconds: 60 * minutes,
        DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [queue, 'Arn'] } } },
      },
    ]);
  });
});

test('the rule of admissions says what the stage knows it by', () => {
  const [, id] = /const ADMITTED: &str = "(\w+)";/.exec(source('shared/model/src/message.rs'))!;
  expect(PREWARM.also!.map((rate) => rate.id)).toEqual([id]);
});

test('prewarm reckons with the rate at which it is started', () => {
  const [, interval] = /const INTERVAL_MS: u64 = ([\d_]+);/.exec(source('shared/stages/src/prewarm/mod.rs'))!;
  expect(Number(interval!.replaceAll('_', ''))).toBe(PREWARM.every.toMilliseconds());
});
