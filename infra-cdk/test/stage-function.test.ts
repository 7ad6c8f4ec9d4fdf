import * as lambda from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { expect, test } from 'vitest';
import { STAGES } from '../lib';
import { lambdaNamed, resources, template, variant } from './deployment';

test('every function is a native executable of one architecture', () => {
  for (const [built, name] of [
    [lambda.Architecture.ARM_64, 'arm64'],
    [lambda.Architecture.X86_64, 'x86_64'],
  ] as const) {
    const functions = resources('AWS::Lambda::Function', variant({ architecture: built }));
    expect(functions).toHaveLength(STAGES.length);
    for (const [, { Properties }] of functions) {
      expect(Properties).toMatchObject({ Runtime: 'provided.al2023', Handler: 'bootstrap', Architectures: [name] });
    }
  }
});

test('every function logs to a group of its own that ends', () => {
  const groups = new Map(resources('AWS::Logs::LogGroup').map(([id, group]) => [id, group]));
  for (const [, { Properties }] of resources('AWS::Lambda::Function')) {
    const group = groups.get(Properties.LoggingConfig.LogGroup.Ref);
    expect(group?.Properties.LogGroupName).toBe(`/aws/lambda/${Properties.FunctionName}`);
  }
  for (const from of [template, variant({ logRetention: RetentionDays.THREE_DAYS })]) {
    const days = resources('AWS::Logs::LogGroup', from).map(([, group]) => group.Properties.RetentionInDays);
    expect(new Set(days)).toEqual(new Set([from === template ? 30 : 3]));
  }
});

test('control functions take the scratch that is free', () => {
  expect(lambdaNamed('foreshard-plan').EphemeralStorage).toBeUndefined();
});
