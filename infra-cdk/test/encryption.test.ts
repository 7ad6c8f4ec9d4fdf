import { expect, test } from 'vitest';
import { STAGES, type Stage } from '../lib';
import { fullTemplate, resources, roleId, statementsOf, template, text, variant } from './deployment';

const keys = (from = template) => resources('AWS::KMS::Key', from);
const roleOf = (stage: string, from = template) =>
  roleId(`Foreshard${stage.charAt(0).toUpperCase()}${stage.slice(1)}Role`, from);
const kmsOf = (stage: string, from = template) =>
  statementsOf(roleOf(stage, from), from).filter((s) => s.actions.some((action) => action.startsWith('kms:')));

test('without a key of its own a deployment makes none and asks for none', () => {
  expect(keys()).toEqual([]);
  expect(STAGES.flatMap((stage) => kmsOf(stage))).toEqual([]);
});

test('a key of its own is rotated, stays with the data, and encrypts everything that is kept', () => {
  const full = fullTemplate();
  const [[id, key], ...others] = keys(full) as [[string, any]];
  expect(others).toEqual([]);
  expect(key.Properties.EnableKeyRotation).toBe(true);
  expect(key.DeletionPolicy).toBe('Retain');
  const arn = { 'Fn::GetAtt': [id, 'Arn'] };
  const [, bucket] = resources('AWS::S3::Bucket', full)[0]!;
  expect(bucket.Properties.BucketEncryption.ServerSideEncryptionConfiguration).toEqual([
    {
      BucketKeyEnabled: true,
      ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: arn },
    },
  ]);
  const [, table] = resources('AWS::DynamoDB::Table', full)[0]!;
  expect(table.Properties.SSESpecification).toEqual({ SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: arn });
  for (const [type, property] of [
    ['AWS::Logs::LogGroup', 'KmsKeyId'],
    ['AWS::Lambda::Function', 'KmsKeyArn'],
    ['AWS::SQS::Queue', 'KmsMasterKeyId'],
    ['AWS::SNS::Topic', 'KmsMasterKeyId'],
  ] as const) {
    const found = resources(type, full).map(([, resource]) => resource.Properties[property]);
    expect(found.length).toBeGreaterThan(0);
    expect(new Set(found.map((value) => JSON.stringify(value)))).toEqual(new Set([JSON.stringify(arn)]));
  }
});

/** Stages that nobody waits for: what fails of them goes to the queue. */
const WOKEN: readonly Stage[] = ['submit', 'reshard', 'forecast', 'prewarm'];

test('roles may use the key through the services that hold their data, and nothing else with it', () => {
  const full = fullTemplate();
  const via = (services: string[]) => services.map((s) => `${s}.\${AWS::Region}.\${AWS::URLSuffix}`);
  for (const stage of STAGES) {
    const found = kmsOf(stage, full).map(({ actions, conditions }) => [
      actions,
      [conditions.StringEquals['kms:ViaService']].flat().map(text),
    ]);
    expect(found).toEqual([
      [['kms:Decrypt', 'kms:GenerateDataKey'], via(['s3', 'dynamodb'])],
      [['kms:Decrypt'], via(['lambda'])],
      ...(WOKEN.includes(stage) ? [[['kms:Decrypt', 'kms:GenerateDataKey'], via(['sqs'])]] : []),
    ]);
  }
});

test('services of AWS may use it for this account alone, logs for the groups of this deployment', () => {
  const [, key] = keys(fullTemplate())[0]!;
  const statements = key.Properties.KeyPolicy.Statement.filter((s: any) => s.Principal.Service);
  for (const statement of statements) {
    const actions: string[] = [statement.Action].flat();
    expect(actions.join()).not.toContain('*');
    const limits = statement.Condition.StringEquals?.['aws:SourceAccount'] ?? statement.Condition.ArnLike;
    expect(limits).toBeDefined();
  }
  expect(statements.map((s: any) => s.Sid).sort()).toEqual(['Alarms', 'Events', 'Logs']);
});

test('an existing key is used as it is', () => {
  const arn = 'arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f';
  const from = variant({ kmsKey: arn });
  expect(keys(from)).toEqual([]);
  const [, table] = resources('AWS::DynamoDB::Table', from)[0]!;
  expect(table.Properties.SSESpecification.KMSMasterKeyId).toBe(arn);
  expect(kmsOf('plan', from).map((s) => s.resources)).toEqual([[arn], [arn]]);
  expect(() => variant({ kmsKey: 'alias/mine' })).toThrow('kmsKey `alias/mine` must be `aws`, `customer`');
});
