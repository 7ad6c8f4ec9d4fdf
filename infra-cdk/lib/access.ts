/** Decides what each stage may do: no more than the ports that it takes. */
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Bucket, KeyPrefix } from './bucket';
import type { Encryption } from './encryption';
import type { MachineArns } from './machine-arns';
import type { Stage } from './stages';
import type { Table } from './table';

/** Permissions of DynamoDB on items. A transaction needs those of its parts, and none of its own. */
type ItemAction = 'GetItem' | 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'BatchGetItem' | 'BatchWriteItem';

type MachineAction = 'StartExecution' | 'SendTaskSuccess' | 'DescribeExecution';

/** What one stage may do. */
export interface Access {
  readonly items: readonly ItemAction[];
  /** Whether it may query the table and its indexes. */
  readonly query: boolean;
  readonly read: readonly KeyPrefix[];
  readonly write: readonly KeyPrefix[];
  readonly list?: readonly KeyPrefix[];
  readonly machine?: readonly MachineAction[];
  /** Namespace of the metrics that it may publish. */
  readonly metrics?: string;
  /** Whether it may read metrics. */
  readonly readsMetrics?: boolean;
  /** Whether it may ask how much concurrency the account has. */
  readonly readsLimits?: boolean;
  /** Whether it may look at, change and release the provisioned concurrency of the targets. */
  readonly provisions?: boolean;
}

/** What reading and writing the frontier and telling the ledger needs. */
const FRONTIER: readonly ItemAction[] = ['GetItem', 'PutItem', 'UpdateItem', 'BatchGetItem', 'BatchWriteItem'];

/**
 * The whole of it, stage by stage. `test/access.test.ts` compares it with what the adapters of the stage's ports call, in both
 * directions. Assuming the task role is added where that role is made.
 */
export const ACCESS: Readonly<Record<Stage, Access>> = {
  submit: {
    items: [...FRONTIER, 'DeleteItem'],
    query: true,
    read: ['runs/', 'uploads/', 'bundles/', 'workflows/'],
    write: ['runs/', 'uploads/', 'bundles/', 'workflows/'],
    list: ['runs/', 'workflows/'],
    machine: ['StartExecution', 'SendTaskSuccess'],
  },
  plan: {
    items: ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'],
    query: true,
    read: ['runs/', 'uploads/', 'workflows/'],
    write: ['runs/'],
  },
  dispatch: {
    items: FRONTIER,
    query: true,
    read: ['runs/'],
    write: ['runs/'],
    machine: ['SendTaskSuccess'],
  },
  execute: {
    items: ['BatchGetItem', 'UpdateItem'],
    query: false,
    read: ['runs/', 'bundles/'],
    write: ['runs/'],
    metrics: 'Foreshard',
  },
  aggregate: {
    items: ['GetItem', 'PutItem', 'DeleteItem', 'BatchGetItem', 'BatchWriteItem'],
    query: true,
    read: ['runs/'],
    write: ['runs/'],
    machine: ['StartExecution'],
  },
  reshard: {
    items: [...FRONTIER, 'DeleteItem'],
    query: true,
    read: ['runs/'],
    write: ['runs/'],
    machine: ['StartExecution', 'SendTaskSuccess', 'DescribeExecution'],
  },
  forecast: {
    items: ['GetItem', 'PutItem', 'BatchGetItem'],
    query: true,
    read: ['runs/', 'policies/'],
    write: [],
    readsMetrics: true,
    readsLimits: true,
  },
  prewarm: {
    items: ['GetItem', 'PutItem', 'BatchGetItem'],
    query: true,
    read: ['runs/', 'policies/'],
    write: [],
    list: ['policies/'],
    readsMetrics: true,
    readsLimits: true,
    provisions: true,
  },
};

/** What the permissions are on. */
export interface Resources {
  readonly table: Table;
  readonly bucket: Bucket;
  readonly machine: MachineArns;
  /** ARNs of the aliases that lanes invoke. */
  readonly targets: readonly string[];
  readonly encryption: Encryption;
}

/** The permissions of `stage` as policy statements. */
export function statements(stage: Stage, on: Resources): iam.PolicyStatement[] {
  const access = ACCESS[stage];
  const keys = (prefixes: readonly KeyPrefix[]) => prefixes.map((prefix) => on.bucket.arnForObjects(`${prefix}*`));
  const allowed = [
    allow(
      'Items',
      access.items.map((action) => `dynamodb:${action}`),
      [on.table.tableArn],
    ),
    allow('ReadObjects', ['s3:GetObject'], keys(access.read)),
  ];
  if (access.write.length > 0) {
    // An upload in parts that fails is given up, so that its parts are not paid for.
    allowed.push(allow('WriteObjects', ['s3:PutObject', 's3:AbortMultipartUpload'], keys(access.write)));
  }
  if (access.query) {
    allowed.push(allow('Query', ['dynamodb:Query'], [on.table.tableArn, ...on.table.indexArns]));
  }
  if (access.list) {
    const prefixes = access.list.map((prefix) => `${prefix}*`);
    allowed.push(
      allow('ListObjects', ['s3:ListBucket'], [on.bucket.bucketArn], { StringLike: { 's3:prefix': prefixes } }),
    );
  }
  for (const action of access.machine ?? []) {
    allowed.push(allow(action, [`states:${action}`], machineResources(action, on.machine)));
  }
  if (access.metrics) {
    // PutMetricData knows no resources (Service Authorization Reference, CloudWatch): the namespace is the limit.
    allowed.push(
      allow('Metrics', ['cloudwatch:PutMetricData'], ['*'], {
        StringEquals: { 'cloudwatch:namespace': access.metrics },
      }),
    );
  }
  if (access.readsMetrics) {
    // GetMetricData knows neither resources nor conditions (Service Authorization Reference, CloudWatch).
    allowed.push(allow('ReadMetrics', ['cloudwatch:GetMetricData'], ['*']));
  }
  if (access.provisions) {
    allowed.push(
      allow(
        'Provision',
        ['Get', 'Put', 'Delete'].map((verb) => `lambda:${verb}ProvisionedConcurrencyConfig`),
        on.targets,
      ),
    );
  }
  if (access.readsLimits) {
    // GetAccountSettings knows no resources (Service Authorization Reference, Lambda).
    allowed.push(allow('AccountLimits', ['lambda:GetAccountSettings'], ['*']));
  }
  return [
    ...allowed,
    ...on.encryption.statements('KeyOfData', ['Decrypt', 'GenerateDataKey'], ['s3', 'dynamodb']),
    // Lambda decrypts the environment in the name of the function.
    ...on.encryption.statements('KeyOfEnvironment', ['Decrypt'], ['lambda']),
  ];
}

/** Why a statement names its resources by pattern, by the statement's id. */
export const PATTERNS: Readonly<Record<string, string>> = {
  ReadObjects:
    'Objects are named by run, shard, attempt and digest, which no deployment knows: the prefix is the limit.',
  WriteObjects:
    'Objects are named by run, shard, attempt and digest, which no deployment knows: the prefix is the limit.',
  DescribeExecution: 'Executions are named after runs, which no deployment knows: the state machine is the limit.',
  Metrics: 'PutMetricData knows no resources: the condition limits it to one namespace.',
  AccountLimits: 'GetAccountSettings knows no resources: what it reads are the limits and the sums of the account.',
  ReadMetrics: 'GetMetricData knows no resources and no condition on the namespace: what it reads are numbers.',
};

/**
 * A token belongs to the machine that waits: for lanes that run distributed, that is the child machine of the map.
 * (IAM checks task tokens against the machine's ARN although the reference lists no resource for them: aws-cdk #8486.)
 */
function machineResources(action: MachineAction, machine: MachineArns): string[] {
  switch (action) {
    case 'StartExecution':
      return [machine.machine];
    case 'SendTaskSuccess':
      return [machine.machine, machine.lanes];
    case 'DescribeExecution':
      return [machine.executions];
  }
}

/** One statement that allows. */
export function allow(
  sid: string,
  actions: readonly string[],
  resources: readonly string[],
  conditions?: Record<string, unknown>,
): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid,
    actions: [...actions],
    resources: [...resources],
    conditions,
  });
}
