import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import { expect, test } from 'vitest';
import { Foreshard, ROUTES } from '../lib';
import { dummyArtifacts, resources, statementsOf, text } from './deployment';
import { rustFiles, source } from './rust-source';

/** Path of a method, from the resources that it hangs on. */
function pathOf(method: any): string {
  const nodes = new Map(resources('AWS::ApiGateway::Resource'));
  const climb = (id: string | undefined): string => {
    const node = id ? nodes.get(id) : undefined;
    return node ? `${climb(node.Properties.ParentId.Ref)}/${node.Properties.PathPart}` : '';
  };
  return climb(method.ResourceId.Ref);
}

const methods = resources('AWS::ApiGateway::Method').map(([, { Properties }]) => Properties);

test('the routes are those of the constant and no others', () => {
  const found = methods.map((method) => `${method.HttpMethod} ${pathOf(method)}`);
  expect(found.sort()).toEqual(ROUTES.map(([method, path]) => `${method} ${path}`).sort());
});

test('they are those of the table that submit answers by', () => {
  const rows = rustFiles('shared/stages/src/submit/routes').flatMap((file) =>
    [...source(file).matchAll(/method: "(\w+)",\s+path: "([^"]+)"/g)].map(([, method, path]) => `${method} ${path}`),
  );
  expect(rows.sort()).toEqual(ROUTES.map(([method, path]) => `${method} ${path}`).sort());
});

test('every method needs a signature', () => {
  expect(new Set(methods.map((method) => method.AuthorizationType))).toEqual(new Set(['AWS_IAM']));
  expect(methods.length).toBe(ROUTES.length);
});

test('every method is answered by submit, which only this API may invoke', () => {
  for (const method of methods) {
    expect(method.Integration).toMatchObject({
      Type: 'AWS_PROXY',
      IntegrationHttpMethod: 'POST',
      TimeoutInMillis: 29_000,
    });
    expect(text(method.Integration.Uri)).toContain('${ForeshardSubmitFunction');
  }
  const permissions = resources('AWS::Lambda::Permission').filter(
    ([, { Properties }]) => Properties.Principal === 'apigateway.amazonaws.com',
  );
  expect(permissions).toHaveLength(1);
  expect(text(permissions[0]![1].Properties.SourceArn)).toMatch(/:execute-api:.*:\$\{ForeshardApi\w+\}\/\*\/\*\/\*$/);
});

test('callers are throttled, and there is no CORS', () => {
  const [, stage] = resources('AWS::ApiGateway::Stage')[0]!;
  expect(stage.Properties.StageName).toBe('v1');
  expect(stage.Properties.MethodSettings).toEqual([
    {
      HttpMethod: '*',
      ResourcePath: '/*',
      DataTraceEnabled: false,
      ThrottlingBurstLimit: 200,
      ThrottlingRateLimit: 100,
    },
    ...['/~1runs', '/~1validate'].map((ResourcePath) => ({
      HttpMethod: 'POST',
      ResourcePath,
      DataTraceEnabled: false,
      ThrottlingBurstLimit: 100,
      ThrottlingRateLimit: 50,
    })),
  ]);
  expect(methods.map((method) => method.HttpMethod)).not.toContain('OPTIONS');
});

test('it is regional, and takes nothing below TLS 1.2', () => {
  const [, api] = resources('AWS::ApiGateway::RestApi')[0]!;
  expect(api.Properties).toMatchObject({
    Name: 'foreshard',
    EndpointConfiguration: { Types: ['REGIONAL'] },
    SecurityPolicy: 'SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09',
    EndpointAccessMode: 'STRICT',
  });
  expect(api.Properties.Policy).toBeUndefined();
});

test('the access log says who asked for what, never what was in it', () => {
  const [, stage] = resources('AWS::ApiGateway::Stage')[0]!;
  const { DestinationArn, Format } = stage.Properties.AccessLogSetting;
  expect(text(DestinationArn)).toMatch(/:log-group:\$\{ForeshardApiAccessLog\w+\}$/);
  expect(Object.values(JSON.parse(Format)).sort()).toMatchInlineSnapshot(`
    [
      "$context.error.responseType",
      "$context.httpMethod",
      "$context.identity.sourceIp",
      "$context.identity.userArn",
      "$context.integration.latency",
      "$context.requestId",
      "$context.requestTime",
      "$context.resourcePath",
      "$context.responseLatency",
      "$context.responseLength",
      "$context.status",
      "$context.tlsVersion",
      "$context.xrayTraceId",
    ]
  `);
});

test('a role can be allowed to call it', () => {
  const stack = new Stack(new App(), 'stack');
  const foreshard = new Foreshard(stack, 'Foreshard', { artifacts: dummyArtifacts() });
  const caller = new iam.Role(stack, 'Caller', { assumedBy: new iam.AccountRootPrincipal() });
  foreshard.api.grantInvoke(caller);
  const from = Template.fromStack(stack);
  const [id] = Object.entries(from.findResources('AWS::IAM::Role')).find(([name]) => name.startsWith('Caller'))!;
  const actions = statementsOf(id, from).flatMap((s) => s.actions);
  expect(new Set(actions)).toEqual(new Set(['execute-api:Invoke']));
});
