/** Nothing of a deployment answers, or shows anything, to somebody who is not identified. */
import { describe, expect, test } from 'vitest';
import { fullTemplate, resources, template } from './deployment';

describe.each([
  ['as it is', () => template],
  ['with every option', fullTemplate],
])('%s', (_, from) => {
  test('every method of an API needs a signature', () => {
    const methods = resources('AWS::ApiGateway::Method', from());
    expect(methods.length).toBeGreaterThan(10);
    expect(methods.filter(([, { Properties }]) => Properties.AuthorizationType !== 'AWS_IAM')).toEqual([]);
  });

  test('nothing else listens: no function URL, no other kind of API, no network', () => {
    const listening = /^AWS::(Lambda::Url|ApiGatewayV2::|EC2::|ElasticLoadBalancing|CloudFront::|AppSync::|Cognito::)/;
    const found = Object.values<any>(from().toJSON().Resources).filter(({ Type }) => listening.test(Type));
    expect(found).toEqual([]);
  });

  test('what everyone may is denied, never allowed', () => {
    const policies = ['AWS::S3::BucketPolicy', 'AWS::SQS::QueuePolicy', 'AWS::SNS::TopicPolicy'].flatMap((type) =>
      resources(type, from()).flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement),
    );
    const api = resources('AWS::ApiGateway::RestApi', from()).flatMap(
      ([, { Properties }]) => Properties.Policy?.Statement ?? [],
    );
    const keys = resources('AWS::KMS::Key', from()).flatMap(([, { Properties }]) => Properties.KeyPolicy.Statement);
    const everyone = [...policies, ...api, ...keys].filter(
      ({ Principal }) => Principal === '*' || [Principal?.AWS].flat().includes('*'),
    );
    expect(everyone.length).toBeGreaterThan(1);
    expect(everyone.filter(({ Effect }) => Effect !== 'Deny')).toEqual([]);
  });

  test('services may invoke or send only what this deployment sends', () => {
    for (const [, { Properties }] of resources('AWS::Lambda::Permission', from())) {
      expect(Properties.SourceArn).toBeDefined();
    }
    for (const [, { Properties }] of resources('AWS::SQS::QueuePolicy', from())) {
      for (const { Effect, Condition } of Properties.PolicyDocument.Statement) {
        expect(Effect === 'Deny' || Condition.ArnEquals['aws:SourceArn']).toBeTruthy();
      }
    }
  });

  test('no bucket can be made public', () => {
    for (const [, { Properties }] of resources('AWS::S3::Bucket', from())) {
      expect(Object.values(Properties.PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
    }
  });

  test('bucket, queue and topic refuse what is not encrypted on its way', () => {
    for (const [type, kind] of [
      ['AWS::S3::Bucket', 'AWS::S3::BucketPolicy'],
      ['AWS::SQS::Queue', 'AWS::SQS::QueuePolicy'],
      ['AWS::SNS::Topic', 'AWS::SNS::TopicPolicy'],
    ] as const) {
      const plain = resources(kind, from())
        .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement)
        .filter((s) => s.Effect === 'Deny' && s.Condition.Bool?.['aws:SecureTransport'] === 'false');
      expect(plain).toHaveLength(resources(type, from()).length);
    }
  });
});
