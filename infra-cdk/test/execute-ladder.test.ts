import { expect, test } from 'vitest';
import { EXECUTE_TIERS_MIB, STAGES } from '../lib';
import { scratchMib } from '../lib/execute-ladder';
import { lambdaNamed, resources, variant } from './deployment';

test('each tier is a function with an alias that points to a version', () => {
  const aliases = resources('AWS::Lambda::Alias');
  const versions = new Map(resources('AWS::Lambda::Version'));
  const functions = new Map(resources('AWS::Lambda::Function'));
  expect(aliases).toHaveLength(EXECUTE_TIERS_MIB.length);
  const tiers = aliases.map(([, { Properties }]) => {
    expect(Properties.Name).toBe('live');
    const version = versions.get(Properties.FunctionVersion['Fn::GetAtt'][0]);
    expect(version?.Properties.FunctionName).toEqual(Properties.FunctionName);
    return functions.get(Properties.FunctionName.Ref)?.Properties;
  });
  expect(tiers.map((tier) => [tier?.FunctionName, tier?.MemorySize, tier?.Timeout])).toEqual(
    [128, 256, 512, 1024, 1769, 3538, 5307, 7076, 10240].map((mib) => [`foreshard-execute-${mib}`, mib, 900]),
  );
});

test('the tiers share code and wiring', () => {
  const tiers = EXECUTE_TIERS_MIB.map((mib) => lambdaNamed(`foreshard-execute-${mib}`));
  expect(new Set(tiers.map((tier) => tier.Code.S3Key)).size).toBe(1);
  expect(new Set(tiers.map((tier) => JSON.stringify(tier.Environment))).size).toBe(1);
  const codes = resources('AWS::Lambda::Function').map(([, f]) => f.Properties.Code.S3Key);
  expect(new Set(codes).size).toBe(STAGES.length);
});

test('scratch is twice the memory, within what Lambda has', () => {
  expect(EXECUTE_TIERS_MIB.map(scratchMib)).toEqual([512, 512, 1024, 2048, 3538, 7076, 10240, 10240, 10240]);
  expect(lambdaNamed('foreshard-execute-1769').EphemeralStorage).toEqual({ Size: 3538 });
});

test('scratch adds at most half a per cent to the price of memory', () => {
  const [scratchUsd, memoryUsd] = [0.0000000309, 0.0000133334]; // GB-s, us-east-1, arm64
  for (const mib of EXECUTE_TIERS_MIB) {
    expect(((scratchMib(mib) - 512) * scratchUsd) / (mib * memoryUsd)).toBeLessThanOrEqual(0.005);
  }
});

test('a deployment may have fewer tiers', () => {
  const from = variant({ executeTiersMib: [512, 1769] });
  expect(resources('AWS::Lambda::Alias', from)).toHaveLength(2);
  expect(lambdaNamed('foreshard-dispatch', from).Environment.Variables.FORESHARD_EXECUTE_TIERS).toBe('512,1769');
});
