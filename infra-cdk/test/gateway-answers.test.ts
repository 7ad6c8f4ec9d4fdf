import { expect, test } from 'vitest';
import { GATEWAY_ANSWERS } from '../lib/gateway-answers';
import { resources } from './deployment';
import { source } from './rust-source';

test('the gateway answers with the codes, statuses and titles of submit', () => {
  const refusals = source('shared/stages/src/submit/refusal.rs').replace(/\s+/g, ' ');
  for (const { status, code, title } of GATEWAY_ANSWERS) {
    expect(refusals).toContain(`("${code}", ${status}, "${title}")`);
  }
});

test('they are problem documents, with the sentence of the gateway as the detail', () => {
  const answers = resources('AWS::ApiGateway::GatewayResponse').map(([, { Properties }]) => Properties);
  expect(answers).toHaveLength(GATEWAY_ANSWERS.length);
  for (const { ResponseParameters, ResponseTemplates, StatusCode } of answers) {
    expect(ResponseParameters).toEqual({
      'gatewayresponse.header.Content-Type': "'application/problem+json'",
    });
    const filled = ResponseTemplates['application/json'].replace('$context.error.messageString', '"Forbidden"');
    const { code } = JSON.parse(filled);
    expect(JSON.parse(filled)).toEqual({
      type: `errors.md#${code.toLowerCase()}`,
      title: expect.any(String),
      status: Number(StatusCode),
      code: expect.stringMatching(/^FS3\d{3}$/),
      detail: 'Forbidden',
    });
  }
});
