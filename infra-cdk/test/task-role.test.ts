import { expect, test } from 'vitest';
import { resources, roleId, statementsOf, template, variant } from './deployment';

const taskRole = roleId('ForeshardTaskRole');

test('only execute may assume it, and only for a named run', () => {
  const { Properties } = template.findResources('AWS::IAM::Role')[taskRole]!;
  expect(Properties.AssumeRolePolicyDocument.Statement).toEqual([
    {
      Effect: 'Allow',
      Action: ['sts:AssumeRole', 'sts:TagSession'],
      Principal: { AWS: { 'Fn::GetAtt': [roleId('ForeshardExecuteRole'), 'Arn'] } },
      Condition: { Null: { 'aws:RequestTag/foreshard:run': 'false' } },
    },
  ]);
});

test('it may do nothing of its own', () => {
  const { Properties } = template.findResources('AWS::IAM::Role')[taskRole]!;
  expect([Properties.Policies, Properties.ManagedPolicyArns]).toEqual([undefined, undefined]);
  expect(statementsOf(taskRole)).toEqual([]);
});

test('execute may assume it and the roles that the deployment names, no others', () => {
  const assumed = (from = template) =>
    resources('AWS::IAM::Role', from)
      .flatMap(([id]) => statementsOf(id, from))
      .filter((s) => s.actions.includes('sts:AssumeRole'))
      .map((s) => s.resources);
  expect(assumed()).toEqual([[`\${${taskRole}.Arn}`]]);
  const other = 'arn:aws:iam::123456789012:role/reports';
  expect(assumed(variant({ taskRoles: [other] }))).toEqual([[`\${${taskRole}.Arn}`, other]]);
});
