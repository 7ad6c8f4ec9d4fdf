/** Decides whose key encrypts what the deployment keeps, and who may use it through which service. */
import { ArnFormat, Aws, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { allow } from './access';
import { Problem } from './problem';

/** Keys of AWS: nothing to manage, nothing to pay. */
export const AWS_KEYS = 'aws';
/** A key of the deployment's own, rotated each year. */
export const CUSTOMER_KEY = 'customer';

const KEY_ARN = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[a-f0-9-]+$/;
/** What `kmsKey` may be, to follow "must be". */
export const KMS_KEY_RULE = '`aws`, `customer`, or the ARN of a key (not of an alias)';

/** Whether `text` can be `kmsKey`. */
export function isKmsKey(text: string): boolean {
  return text === AWS_KEYS || text === CUSTOMER_KEY || KEY_ARN.test(text);
}

/** Services that decrypt for whoever calls them. */
export type KeyUser = 's3' | 'dynamodb' | 'sqs' | 'lambda';

export interface EncryptionProps {
  readonly name: string;
  readonly kmsKey: string;
  readonly retain: boolean;
}

/** Bucket, table, logs, queue, topic and environment share one key: what one of them gives away, the others would too. */
export class Encryption extends Construct {
  /** None: AWS's own keys. */
  readonly key?: kms.IKey;

  constructor(scope: Construct, id: string, props: EncryptionProps) {
    super(scope, id);
    if (!isKmsKey(props.kmsKey)) {
      throw new Problem(`kmsKey \`${props.kmsKey}\` must be ${KMS_KEY_RULE}`);
    }
    if (props.kmsKey === CUSTOMER_KEY) {
      this.key = ownKey(this, props);
    } else if (props.kmsKey !== AWS_KEYS) {
      // Its policy is not ours to write: README.md says what it must allow.
      this.key = kms.Key.fromKeyArn(this, 'Key', props.kmsKey);
    }
  }

  /** What a role needs in order to read and write encrypted data through `services`, and nothing outside them. */
  statements(sid: string, actions: readonly KeyAction[], services: readonly KeyUser[]): iam.PolicyStatement[] {
    if (!this.key) {
      return [];
    }
    return [
      allow(
        sid,
        actions.map((action) => `kms:${action}`),
        [this.key.keyArn],
        { StringEquals: { 'kms:ViaService': services.map((service) => `${service}.${Aws.REGION}.${Aws.URL_SUFFIX}`) } },
      ),
    ];
  }
}

type KeyAction = 'Decrypt' | 'GenerateDataKey';

/** A key that the account administers and that three services may use for this deployment's resources alone. */
function ownKey(scope: Construct, props: EncryptionProps): kms.Key {
  const key = new kms.Key(scope, 'Key', {
    description: `Foreshard: what the deployment ${props.name} keeps`,
    alias: `alias/${props.name}`,
    enableKeyRotation: true,
    // Without the key, a table and a bucket that were kept are noise.
    removalPolicy: props.retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    pendingWindow: Duration.days(7),
  });
  const ours = { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } };
  for (const statement of [
    // CloudWatch Logs encrypts a group in its own name; the context is the group's ARN.
    serviceMay('Logs', `logs.${Aws.REGION}.${Aws.URL_SUFFIX}`, LOGS_ACTIONS, {
      ArnLike: { 'kms:EncryptionContext:aws:logs:arn': logGroups(scope, props.name) },
    }),
    // An event that could not be delivered goes to the encrypted queue, an alarm to the encrypted topic.
    serviceMay('Events', 'events.amazonaws.com', ['kms:Decrypt', 'kms:GenerateDataKey'], ours),
    serviceMay('Alarms', 'cloudwatch.amazonaws.com', ['kms:Decrypt', 'kms:GenerateDataKey'], ours),
  ]) {
    key.addToResourcePolicy(statement);
  }
  return key;
}

/** Source: CloudWatch Logs user guide, "Encrypt log data using AWS KMS", step 2, without its wildcards. */
const LOGS_ACTIONS = [
  'kms:Encrypt',
  'kms:Decrypt',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:DescribeKey',
];

/** A statement of a key's policy that lets a service of AWS use it. */
export function serviceMay(
  sid: string,
  service: string,
  actions: readonly string[],
  conditions: Record<string, unknown>,
): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid,
    principals: [new iam.ServicePrincipal(service)],
    actions: [...actions],
    // In a key's policy this is the key itself.
    resources: ['*'],
    conditions,
  });
}

/** Patterns of the log groups that a deployment makes. */
function logGroups(scope: Construct, name: string): string[] {
  return [`/aws/lambda/${name}-*`, `/aws/apigateway/${name}`, `/aws/vendedlogs/states/${name}`].map((resourceName) =>
    Stack.of(scope).formatArn({
      service: 'logs',
      resource: 'log-group',
      resourceName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    }),
  );
}
