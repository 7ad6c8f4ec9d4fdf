import { expect, test } from 'vitest';
import { EXECUTE_TIERS_MIB } from '../lib';
import { definition } from '../lib/lanes';
import { resources, roleId, statementsOf, template, variant } from './deployment';

const machine = (from = template) => resources('AWS::StepFunctions::StateMachine', from)[0]![1].Properties;
const statement = (sid: string) => statementsOf(roleId('StateMachineRole')).filter((s) => s.sid === sid);
const arn = (rest: string) => `arn:\${AWS::Partition}:states:\${AWS::Region}:\${AWS::AccountId}:${rest}`;

test('there is one, of type Standard, with the definition of the lanes', () => {
  expect(resources('AWS::StepFunctions::StateMachine')).toHaveLength(1);
  expect(machine().StateMachineName).toBe('foreshard');
  expect(machine().StateMachineType).toBe('STANDARD');
  expect(JSON.parse(machine().DefinitionString)).toEqual(definition());
});

test('every name in the definition stands for a function', () => {
  const names = [...machine().DefinitionString.matchAll(/\$\{(\w+)\}/g)].map((match) => match[1]);
  expect(new Set(names)).toEqual(new Set(['Plan', 'Dispatch', 'Aggregate']));
  for (const name of new Set(names)) {
    const [id] = machine().DefinitionSubstitutions[name]['Fn::GetAtt'];
    const { Properties } = template.findResources('AWS::Lambda::Function')[id]!;
    expect(Properties.FunctionName).toBe(`foreshard-${name.toLowerCase()}`);
  }
});

test('it may invoke the stages of a run, the tiers by their alias alone', () => {
  const [invoke] = statement('InvokeStages');
  expect(invoke!.actions).toEqual(['lambda:InvokeFunction']);
  expect(invoke!.resources.map((r) => r.replace(/\w{8}(\.Arn)?\}$/, ''))).toEqual([
    ...['Plan', 'Dispatch', 'Aggregate'].map((stage) => `\${Foreshard${stage}Function`),
    ...EXECUTE_TIERS_MIB.map((mib) => `\${ForeshardExecuteMib${mib}Live`),
  ]);
});

test('it may start lanes as executions of itself and follow them', () => {
  expect(statement('StartLanes')).toMatchObject([
    { actions: ['states:StartExecution'], resources: [arn('stateMachine:foreshard')] },
  ]);
  expect(statement('FollowLanes')).toMatchObject([
    {
      actions: ['states:DescribeExecution', 'states:StopExecution'],
      resources: [arn('execution:foreshard:*'), arn('execution:foreshard/lanes:*')],
    },
  ]);
});

test('it logs errors without data', () => {
  expect(machine().LoggingConfiguration).toMatchObject({ Level: 'ERROR', IncludeExecutionData: false });
});

test('tracing can be switched off, and its permission goes with it', () => {
  const traced = (tracing: boolean) => {
    const from = variant({ tracing });
    const actions = statementsOf(roleId('StateMachineRole', from), from).flatMap((s) => s.actions);
    return [machine(from).TracingConfiguration?.Enabled ?? false, actions.some((a) => a.startsWith('xray:'))];
  };
  expect(traced(true)).toEqual([true, true]);
  expect(traced(false)).toEqual([false, false]);
});
