import { expect, test } from 'vitest';
import { CONTROL_STAGES } from '../lib';
import { resources, roleId, statementsOf } from './deployment';

const groupsOf = (stage: string) =>
  statementsOf(roleId(`Foreshard${stage}Role`))
    .filter((s) => s.sid === 'Logs')
    .flatMap((s) => s.resources);

test.each(CONTROL_STAGES)('%s writes to its own log group alone', (stage) => {
  const capitalized = stage.charAt(0).toUpperCase() + stage.slice(1);
  expect(groupsOf(capitalized)).toEqual([
    expect.stringMatching(new RegExp(`^\\$\\{Foreshard${capitalized}Logs\\w+\\.Arn\\}$`)),
  ]);
});

test('the tiers of execute share a role, which writes to their groups', () => {
  expect(groupsOf('Execute')).toHaveLength(9);
  for (const group of groupsOf('Execute')) {
    expect(group).toMatch(/^\$\{ForeshardExecuteMib\d+Logs\w+\.Arn\}$/);
  }
});

test('every function has the role of its stage', () => {
  for (const [, { Properties }] of resources('AWS::Lambda::Function')) {
    const stage = Properties.FunctionName.split('-')[1];
    const expected = roleId(`Foreshard${stage.charAt(0).toUpperCase()}${stage.slice(1)}Role`);
    expect(Properties.Role['Fn::GetAtt']).toEqual([expected, 'Arn']);
  }
});
