import { App, Stack } from 'aws-cdk-lib';
import { expect, test } from 'vitest';
import { apiPolicy } from '../lib/api-policy';
import { fullTemplate, resources, variant } from './deployment';

const NOTHING = { accounts: [], vpcEndpoints: [], sourceIps: [] };
const statements = (callers: Partial<typeof NOTHING | Record<string, string[]>>) =>
  new Stack(new App(), 'stack').resolve(apiPolicy({ ...NOTHING, ...callers }))?.Statement;

test('without restrictions there is no policy', () => {
  expect(apiPolicy(NOTHING)).toBeUndefined();
});

test('accounts are allowed, and a role of theirs still needs its own permission', () => {
  const [accounts, ...others] = statements({ accounts: ['123456789012'] });
  expect(accounts).toMatchObject({ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: 'execute-api:/*' });
  expect(JSON.stringify(accounts.Principal)).toMatch(/AWS::AccountId.*123456789012.*:root/);
  expect(others).toEqual([]);
});

test('other addresses are denied to everyone', () => {
  expect(statements({ sourceIps: ['192.0.2.0/24'] })[1]).toMatchObject({
    Effect: 'Deny',
    Principal: { AWS: '*' },
    Condition: { NotIpAddress: { 'aws:SourceIp': ['192.0.2.0/24'] } },
  });
  const [, api] = resources('AWS::ApiGateway::RestApi', fullTemplate())[0]!;
  expect(api.Properties.Policy.Statement.map((s: any) => s.Sid)).toEqual(['Accounts', 'OtherAddresses']);
});

test('with an endpoint the API is private', () => {
  const [, api] = resources('AWS::ApiGateway::RestApi', variant({ apiVpcEndpoints: ['vpce-0a1b2c'] }))[0]!;
  expect(api.Properties.EndpointConfiguration).toEqual({ Types: ['PRIVATE'], VpcEndpointIds: ['vpce-0a1b2c'] });
  expect(api.Properties.Policy.Statement[1]).toMatchObject({
    Effect: 'Deny',
    Condition: { StringNotEquals: { 'aws:SourceVpce': ['vpce-0a1b2c'] } },
  });
});

test('a private API has no addresses to restrict', () => {
  expect(() => statements({ vpcEndpoints: ['vpce-0a1b2c'], sourceIps: ['192.0.2.1'] })).toThrow('exclude each other');
});
