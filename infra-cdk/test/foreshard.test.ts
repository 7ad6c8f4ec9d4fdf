import { expect, test } from 'vitest';
import { resources, synthesise, template } from './deployment';

test('the template', () => {
  expect(template.toJSON()).toMatchSnapshot();
});

test('it names no account and no region', () => {
  const json = JSON.stringify(template.toJSON());
  expect(/us-east-1|:\d{12}:/.exec(json)).toBeNull();
});

test('it is far below the 500 resources of a stack', () => {
  expect(Object.keys(template.toJSON().Resources).length).toBeLessThan(250);
});

test('another name is another deployment: nothing with a fixed name is shared', () => {
  const named = (from = template) => {
    const names: string[] = [];
    for (const [type, key] of [
      ['AWS::Lambda::Function', 'FunctionName'],
      ['AWS::Logs::LogGroup', 'LogGroupName'],
      ['AWS::DynamoDB::Table', 'TableName'],
      ['AWS::StepFunctions::StateMachine', 'StateMachineName'],
      ['AWS::ApiGateway::RestApi', 'Name'],
      ['AWS::Events::Rule', 'Name'],
      ['AWS::SQS::Queue', 'QueueName'],
      ['AWS::CloudWatch::Alarm', 'AlarmName'],
      ['AWS::CloudWatch::Dashboard', 'DashboardName'],
    ] as const) {
      names.push(...resources(type, from).map(([, { Properties }]) => Properties[key]));
    }
    return names;
  };
  const nightly = named(synthesise({ name: 'nightly' }));
  expect(nightly).toEqual(named().map((name) => name.replace('foreshard', 'nightly')));
  expect(nightly.filter((name) => named().includes(name))).toEqual([]);
});

test('roles and bucket have no fixed name, so that a deployment fits into every region of an account', () => {
  for (const [, role] of resources('AWS::IAM::Role')) {
    expect(role.Properties.RoleName).toBeUndefined();
  }
  expect(resources('AWS::S3::Bucket')[0]![1].Properties.BucketName).toBeUndefined();
});

test('a name that cannot begin the name of a function is refused', () => {
  expect(() => synthesise({ name: 'Not a name' })).toThrow('name `Not a name` must be 2 to 50 lower-case letters');
});
