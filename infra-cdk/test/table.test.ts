import { expect, test } from 'vitest';
import { resources, variant } from './deployment';

const table = (retain: boolean) => {
  const found = resources('AWS::DynamoDB::Table', variant({ retain }));
  expect(found).toHaveLength(1);
  return found[0]![1];
};

test('keys are strings, and both indexes are local and hold whole items', () => {
  const { Properties } = table(true);
  expect(Properties.KeySchema).toEqual([
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ]);
  expect(Properties.LocalSecondaryIndexes).toEqual(
    ['ready_rank', 'live'].map((index) => ({
      IndexName: index,
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: index, KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'ALL' },
    })),
  );
  expect(Properties.GlobalSecondaryIndexes).toBeUndefined();
  expect(Properties.AttributeDefinitions.map((a: any) => a.AttributeType)).toEqual(['S', 'S', 'S', 'S']);
});

test('it is paid by request, can be restored and expires items', () => {
  const { Properties } = table(true);
  expect(Properties.TableName).toBe('foreshard');
  expect(Properties.BillingMode).toBe('PAY_PER_REQUEST');
  expect(Properties.PointInTimeRecoverySpecification).toEqual({ PointInTimeRecoveryEnabled: true });
  expect(Properties.TimeToLiveSpecification).toEqual({ AttributeName: 'expires_at', Enabled: true });
});

test('it outlives the stack only when it is retained', () => {
  const kept = table(true);
  expect(kept.Properties.DeletionProtectionEnabled).toBe(true);
  expect([kept.DeletionPolicy, kept.UpdateReplacePolicy]).toEqual(['RetainExceptOnCreate', 'Retain']);
  const dropped = table(false);
  expect(dropped.Properties.DeletionProtectionEnabled).toBe(false);
  expect(dropped.DeletionPolicy).toBe('Delete');
});
