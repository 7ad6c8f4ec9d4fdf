/** Says beside a construct why a security rule is not followed there. */
import { Stack, Validations } from 'aws-cdk-lib';
import type { Construct, IConstruct } from 'constructs';

/**
 * The rules of cdk-nag that `construct`, or what is in it, does not follow, each with the reason. A rule that everything
 * follows must not be named here: `test/nag.test.ts` fails on it, so that no exception outlives its cause.
 */
export function acknowledge(construct: IConstruct, reasons: Readonly<Record<string, string>>): void {
  for (const [id, reason] of Object.entries(reasons)) {
    Validations.of(construct).acknowledge({ id, reason });
  }
}

/** cdk-nag's name of the finding that a policy of `scope`'s stack names a resource by pattern. */
export function wildcard(scope: Construct, resource: string): string {
  const resolved: unknown = Stack.of(scope).resolve(resource);
  return `AwsSolutions-IAM5[Resource::${shown(resolved)}]`;
}

/** An intrinsic as cdk-nag writes it: `<Logical.Arn>`, joined parts put together. */
function shown(value: unknown): string {
  if (typeof value === 'string') {
    return value;
  }
  const {
    Ref,
    'Fn::GetAtt': attribute,
    'Fn::Join': join,
  } = value as {
    readonly Ref?: string;
    readonly 'Fn::GetAtt'?: readonly string[];
    readonly 'Fn::Join'?: readonly [string, readonly unknown[]];
  };
  if (join) {
    return join[1].map(shown).join(join[0]);
  }
  return `<${attribute ? attribute.join('.') : Ref}>`;
}
