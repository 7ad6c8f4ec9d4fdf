import { expect, test } from 'vitest';
import { resources, template, variant } from './deployment';

const bucket = () => resources('AWS::S3::Bucket')[0]![1];

test('nobody reaches it without credentials, and nobody without TLS', () => {
  expect(bucket().Properties.PublicAccessBlockConfiguration).toEqual({
    BlockPublicAcls: true,
    BlockPublicPolicy: true,
    IgnorePublicAcls: true,
    RestrictPublicBuckets: true,
  });
  const [, policy] = resources('AWS::S3::BucketPolicy')[0]!;
  expect(policy.Properties.PolicyDocument.Statement).toEqual([
    expect.objectContaining({
      Effect: 'Deny',
      Principal: { AWS: '*' },
      Action: 's3:*',
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    }),
    expect.objectContaining({
      Effect: 'Deny',
      Principal: { AWS: '*' },
      Action: 's3:*',
      Condition: { NumericLessThan: { 's3:TlsVersion': 1.2 } },
    }),
  ]);
});

test('objects are encrypted and belong to the account', () => {
  expect(bucket().Properties.BucketEncryption.ServerSideEncryptionConfiguration).toEqual([
    { ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } },
  ]);
  expect(bucket().Properties.OwnershipControls).toEqual({ Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] });
});

test('uploads expire in a day, runs when the deployment says, bundles and workflows never', () => {
  const rules = (days?: number) => {
    const from = days ? variant({ runsDays: days }) : template;
    return resources('AWS::S3::Bucket', from)[0]![1].Properties.LifecycleConfiguration.Rules;
  };
  expect(rules()).toEqual([
    { Id: 'uploads', Prefix: 'uploads/', ExpirationInDays: 1, Status: 'Enabled' },
    { Id: 'runs', Prefix: 'runs/', ExpirationInDays: 90, Status: 'Enabled' },
    { Id: 'unfinished', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 }, Status: 'Enabled' },
  ]);
  expect(rules(7)[1].ExpirationInDays).toBe(7);
});
