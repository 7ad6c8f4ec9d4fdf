import { expect, test } from 'vitest';
import { lambdaNamed, resources, roleId, statementsOf, text } from './deployment';

const submit = resources('AWS::Lambda::Function').find(([, f]) => f.Properties.FunctionName === 'foreshard-submit')![0];
const queue = resources('AWS::SQS::Queue')[0]!;

test('timers are in a group of the deployment', () => {
  expect(resources('AWS::Scheduler::ScheduleGroup').map(([, group]) => group.Properties.Name)).toEqual(['foreshard']);
});

test('the service takes its role only for timers of that group, to wake submit and no other', () => {
  const role = roleId('SchedulesRole');
  const [, found] = resources('AWS::IAM::Role').find(([id]) => id === role)!;
  const [trust] = found.Properties.AssumeRolePolicyDocument.Statement;
  expect(trust.Principal).toEqual({ Service: 'scheduler.amazonaws.com' });
  expect(text(trust.Condition.StringEquals['aws:SourceAccount'])).toBe('${AWS::AccountId}');
  expect(text(trust.Condition.ArnLike['aws:SourceArn'])).toMatch(/^arn:.*:schedule-group\/foreshard$/);
  const allowed = statementsOf(role).map(({ actions, resources }) => [actions, resources]);
  expect(allowed).toEqual([
    [
      ['lambda:InvokeFunction'],
      ['arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:foreshard-submit'],
    ],
    [['sqs:SendMessage'], [`\${${queue[0]}.Arn}`]],
  ]);
});

test('submit keeps the timers of the group only, and passes that role only to the service', () => {
  const statements = statementsOf(roleId('SubmitRole'));
  const of = (sid: string) => statements.find((s) => s.sid === sid)!;
  expect(of('Timers').actions.sort()).toEqual([
    'scheduler:CreateSchedule',
    'scheduler:DeleteSchedule',
    'scheduler:UpdateSchedule',
  ]);
  expect(of('Timers').resources).toEqual([
    'arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/foreshard/*',
  ]);
  expect(of('TimerRole').actions).toEqual(['iam:PassRole']);
  expect(of('TimerRole').resources).toEqual([`\${${roleId('SchedulesRole')}.Arn}`]);
  expect(of('TimerRole').conditions).toEqual({
    StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' },
  });
});

test('submit is told where timers are and what they wake', () => {
  const variables = lambdaNamed('foreshard-submit').Environment.Variables;
  expect(variables.FORESHARD_SCHEDULE_GROUP).toBe('foreshard');
  expect(text(variables.FORESHARD_SCHEDULE_TARGET)).toMatch(/:function:foreshard-submit$/);
  expect(text(variables.FORESHARD_SCHEDULE_ROLE)).toBe(`\${${roleId('SchedulesRole')}.Arn}`);
  expect(text(variables.FORESHARD_SCHEDULE_DEAD_LETTERS)).toBe(`\${${queue[0]}.Arn}`);
  expect(variables.FORESHARD_SCHEDULES).toBeUndefined();
});

test('submit looks after schedules each minute', () => {
  const [, rule] = resources('AWS::Events::Rule').find(([, r]) => r.Properties.Name === 'foreshard-schedules')!;
  expect(rule.Properties.ScheduleExpression).toBe('rate(1 minute)');
  expect(rule.Properties.Targets).toMatchObject([
    {
      Arn: { 'Fn::GetAtt': [submit, 'Arn'] },
      Input: '{"id":"schedules"}',
      RetryPolicy: { MaximumRetryAttempts: 0 },
      DeadLetterConfig: { Arn: { 'Fn::GetAtt': [queue[0], 'Arn'] } },
    },
  ]);
});

test('an event that failed comes again within the hour in which it stands for its time', () => {
  const [, config] = resources('AWS::Lambda::EventInvokeConfig').find(
    ([, c]) => c.Properties.FunctionName.Ref === submit,
  )!;
  expect(config.Properties).toMatchObject({ MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 3600 });
  expect(text(config.Properties.DestinationConfig.OnFailure.Destination)).toBe(`\${${queue[0]}.Arn}`);
});
