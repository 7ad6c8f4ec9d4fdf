/** Decides from where and by whom the API may be called at all, before anybody's own permissions are looked at. */
import { Aws } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Problem } from './problem';

export interface ApiCallers {
  /** Accounts beside the deployment's own whose roles may be allowed to call. */
  readonly accounts: readonly string[];
  /** Interface endpoints of `execute-api`; with one or more the API is private: nothing else reaches it. */
  readonly vpcEndpoints: readonly string[];
  /** Addresses or ranges that requests must come from. */
  readonly sourceIps: readonly string[];
}

/**
 * The resource policy; none when nothing is restricted, so that the callers' own permissions decide alone.
 *
 * It allows accounts, never people: a role still needs `execute-api:Invoke` of its own, and every method a signature.
 */
export function apiPolicy(callers: ApiCallers): iam.PolicyDocument | undefined {
  const { accounts, vpcEndpoints, sourceIps } = callers;
  if (accounts.length + vpcEndpoints.length + sourceIps.length === 0) {
    return undefined;
  }
  if (vpcEndpoints.length > 0 && sourceIps.length > 0) {
    throw new Problem(
      'apiVpcEndpoints and apiSourceIps exclude each other: a private API has no public address\n' +
        "hint: restrict addresses in the endpoint's security group or policy",
    );
  }
  const statements = [
    new iam.PolicyStatement({
      sid: 'Accounts',
      principals: [...new Set([Aws.ACCOUNT_ID, ...accounts])].map((account) => new iam.AccountPrincipal(account)),
      actions: ['execute-api:Invoke'],
      resources: ['execute-api:/*'],
    }),
  ];
  if (vpcEndpoints.length > 0) {
    statements.push(deny('OtherEndpoints', { StringNotEquals: { 'aws:SourceVpce': [...vpcEndpoints] } }));
  }
  if (sourceIps.length > 0) {
    statements.push(deny('OtherAddresses', { NotIpAddress: { 'aws:SourceIp': [...sourceIps] } }));
  }
  return new iam.PolicyDocument({ statements });
}

function deny(sid: string, conditions: Record<string, unknown>): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid,
    effect: iam.Effect.DENY,
    principals: [new iam.AnyPrincipal()],
    actions: ['execute-api:Invoke'],
    resources: ['execute-api:/*'],
    conditions,
  });
}
