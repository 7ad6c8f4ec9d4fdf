/** Decides what each stage may do: no more than the ports that it takes. */
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Bucket, KeyPrefix } from './bucket';
import type { MachineArns } from './machine-arns';
import type { Stage } from './stages';
import type { Table } from './table';

/** Permissions of DynamoDB on items. A transaction needs those of its parts: `ConditionCheckItem` is one of them. */
type ItemAction =
  | 'GetItem'
  | 'PutItem'
  | 'UpdateItem'
  | 'DeleteItem'
  | 'ConditionCheckItem'
  | 'BatchGetItem'
  | 'BatchWriteItem';

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
}

const AGGREGATE_ITEMS: readonly ItemAction[] = [
  'GetItem',
  'PutItem',
  'UpdateItem',
  'DeleteItem',
  'ConditionCheckItem',
  'BatchGetItem',
  'BatchWriteItem',
];

/** The whole of it, stage by stage. Assuming the task role is added where that role is made. */
export const ACCESS: Readonly<Record<Stage, Access>> = {
  submit: {
    items: ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem'],
    query: true,
    read: ['runs/', 'uploads/', 'bundles/', 'workflows/'],
    write: ['runs/', 'uploads/', 'bundles/', 'workflows/'],
    list: ['runs/', 'workflows/'],
    machine: ['StartExecution', 'SendTaskSuccess'],
  },
  plan: {
    items: ['GetItem', 'PutItem', 'UpdateItem', 'BatchWriteItem'],
    query: true,
    read: ['runs/', 'uploads/', 'workflows/'],
    write: ['runs/'],
  },
  dispatch: {
    items: ['GetItem', 'PutItem', 'UpdateItem', 'ConditionCheckItem', 'BatchGetItem', 'BatchWriteItem'],
    query: true,
    read: ['runs/'],
    write: ['runs/'],
    machine: ['SendTaskSuccess'],
  },
  execute: {
    items: ['GetItem', 'BatchGetItem', 'UpdateItem'],
    query: false,
    read: ['runs/', 'bundles/'],
    write: ['runs/'],
    metrics: 'Foreshard',
  },
  aggregate: {
    items: AGGREGATE_ITEMS,
    query: true,
    read: ['runs/'],
    write: ['runs/'],
    machine: ['StartExecution'],
  },
  reshard: {
    items: AGGREGATE_ITEMS,
    query: true,
    read: ['runs/'],
    write: ['runs/'],
    machine: ['StartExecution', 'SendTaskSuccess', 'DescribeExecution'],
  },
};

/** What the permissions are on. */
export interface Resources {
  readonly table: Table;
  readonly bucket: Bucket;
  readonly machine: MachineArns;
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
    allow('WriteObjects', ['s3:PutObject'], keys(access.write)),
  ];
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
  return allowed;
}

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
