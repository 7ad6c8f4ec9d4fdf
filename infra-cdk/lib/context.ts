/** Reads the properties of a deployment from context, so that `-c key=value` and cdk.json configure the app. */
import { isIP } from 'node:net';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Node } from 'constructs';
import { isKmsKey, KMS_KEY_RULE } from './encryption';
import type { ForeshardProps } from './foreshard';
import { Problem } from './problem';
import { isName, NAME_RULE } from './stages';

/** Turns the text of a key into its value, or throws a fragment that follows "must be". */
type Reader<T> = (text: string) => T;

/** One reader for each property: the keys of the context are the names of the properties. */
const READERS: { readonly [K in keyof ForeshardProps]-?: Reader<NonNullable<ForeshardProps[K]>> } = {
  name,
  architecture,
  artifacts: (text) => text,
  lanesMax: positive,
  laneMemoryMib: positive,
  executeTiersMib: tiers,
  taskRoles: list,
  retain: flag,
  logRetention: retention,
  runsDays: positive,
  reserveConcurrency: flag,
  kmsKey,
  apiAccounts: accounts,
  apiVpcEndpoints: vpcEndpoints,
  apiSourceIps: addresses,
  apiRatePerS: positive,
  apiBurst: positive,
  apiSubmitRatePerS: positive,
  apiSubmitBurst: positive,
  startsBurst: positive,
  startsPerMinute: positive,
  monitoring: flag,
  alarmTopic: topic,
  alarmEmail: email,
  tracing: flag,
  metrics: flag,
};

/** Every key. */
export const KEYS: readonly string[] = Object.keys(READERS);

/** Properties from the context of `node`. Throws once, with every key that has a wrong value. */
export function propsFromContext(node: Node): ForeshardProps {
  const problems: string[] = [];
  const props: Record<string, unknown> = {};
  for (const [key, read] of Object.entries(READERS)) {
    const given = node.tryGetContext(key);
    if (given === undefined) {
      continue;
    }
    try {
      props[key] = read(String(given));
    } catch (error) {
      problems.push(`context \`${key}\` is \`${given}\`, it must be ${(error as Error).message}`);
    }
  }
  if (problems.length > 0) {
    throw new Problem(problems.join('\n'));
  }
  return props;
}

function name(text: string): string {
  if (!isName(text)) {
    throw new Error(NAME_RULE);
  }
  return text;
}

function flag(text: string): boolean {
  if (text !== 'true' && text !== 'false') {
    throw new Error('true or false');
  }
  return text === 'true';
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new Error('a whole number, 1 or more');
  }
  return value;
}

function list(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

function listOf(text: string, form: RegExp, rule: string): string[] {
  const parts = list(text);
  if (!parts.every((part) => form.test(part))) {
    throw new Error(rule);
  }
  return parts;
}

function accounts(text: string): string[] {
  return listOf(text, /^\d{12}$/, 'account numbers of 12 digits, separated by commas');
}

function vpcEndpoints(text: string): string[] {
  return listOf(text, /^vpce-[0-9a-f]+$/, 'ids of VPC endpoints such as vpce-0a1b2c, separated by commas');
}

function addresses(text: string): string[] {
  const parts = list(text);
  const sound = parts.every((part) => {
    const [address, bits, ...more] = part.split('/');
    const version = isIP(address ?? '');
    const within = bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
    return version !== 0 && within && more.length === 0;
  });
  if (!sound) {
    throw new Error('addresses or ranges such as 192.0.2.0/24, separated by commas');
  }
  return parts;
}

function kmsKey(text: string): string {
  if (!isKmsKey(text)) {
    throw new Error(KMS_KEY_RULE);
  }
  return text;
}

function topic(text: string): string {
  if (!/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+$/.test(text)) {
    throw new Error('the ARN of a topic');
  }
  return text;
}

function email(text: string): string {
  if (!/^[^\s@,]+@[^\s@,]+\.[^\s@,]+$/.test(text)) {
    throw new Error('one e-mail address');
  }
  return text;
}

function tiers(text: string): number[] {
  const values = list(text).map(Number);
  const sound = values.every(
    (mib, i) => Number.isInteger(mib) && mib >= 128 && mib <= 10_240 && mib > (values[i - 1] ?? 0),
  );
  if (!sound) {
    throw new Error('ascending sizes of 128 to 10240 MiB, separated by commas');
  }
  return values;
}

function architecture(text: string): lambda.Architecture {
  switch (text) {
    case 'arm64':
      return lambda.Architecture.ARM_64;
    case 'x86_64':
      return lambda.Architecture.X86_64;
    default:
      throw new Error('arm64 or x86_64');
  }
}

function retention(text: string): RetentionDays {
  const allowed = Object.values(RetentionDays).filter((days) => typeof days === 'number');
  const days = Number(text);
  if (!allowed.includes(days)) {
    throw new Error(`one of the days that CloudWatch Logs knows: ${allowed.join(', ')}`);
  }
  return days;
}
