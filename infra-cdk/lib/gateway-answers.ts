/** What the gateway answers by itself, in the form in which submit answers: RFC 9457, with a code of docs/errors.md. */
import * as apigateway from 'aws-cdk-lib/aws-apigateway';

interface GatewayAnswer {
  readonly type: apigateway.ResponseType;
  readonly status: number;
  readonly code: string;
  readonly title: string;
}

const { ResponseType } = apigateway;
const UNIDENTIFIED = { status: 403, code: 'FS3004', title: 'the caller is not identified' };
const UNAVAILABLE = { status: 503, code: 'FS3019', title: 'a service does not answer' };

/** Codes and titles are those of `Code` in shared/stages/src/submit/refusal.rs; a test keeps them equal. */
export const GATEWAY_ANSWERS: readonly GatewayAnswer[] = [
  // Also what an unknown path gets: API Gateway looks for a signature first, and says no more to whoever has none.
  { type: ResponseType.MISSING_AUTHENTICATION_TOKEN, ...UNIDENTIFIED },
  { type: ResponseType.INVALID_SIGNATURE, ...UNIDENTIFIED },
  { type: ResponseType.EXPIRED_TOKEN, ...UNIDENTIFIED },
  { type: ResponseType.ACCESS_DENIED, ...UNIDENTIFIED },
  { type: ResponseType.REQUEST_TOO_LARGE, status: 413, code: 'FS3008', title: 'too large for a request' },
  { type: ResponseType.THROTTLED, status: 429, code: 'FS3023', title: 'too many at once' },
  { type: ResponseType.INTEGRATION_FAILURE, ...UNAVAILABLE },
  { type: ResponseType.INTEGRATION_TIMEOUT, ...UNAVAILABLE },
];

/** Makes `api` answer so. The detail is the gateway's own sentence, which it quotes itself. */
export function answerAsSubmit(api: apigateway.RestApi): void {
  for (const { type, status, code, title } of GATEWAY_ANSWERS) {
    const fixed = JSON.stringify({ type: `errors.md#${code.toLowerCase()}`, title, status, code });
    const name = type.responseType.toLowerCase().replace(/(^|_)(\w)/g, (_, __, letter: string) => letter.toUpperCase());
    api.addGatewayResponse(name, {
      type,
      statusCode: String(status),
      responseHeaders: { 'Content-Type': "'application/problem+json'" },
      templates: { 'application/json': `${fixed.slice(0, -1)},"detail":$context.error.messageString}` },
    });
  }
}
