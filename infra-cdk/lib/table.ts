/** The table of the runs: frontier, lanes, ledger and listings, read consistently. */
import { RemovalPolicy } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import type { Encryption } from './encryption';

/** Local secondary indexes, each named after its sort key: ready shards by priority, and everything that is under way. */
export const INDEXES = ['ready_rank', 'live'] as const;

export interface TableProps {
  readonly name: string;
  readonly retain: boolean;
  readonly encryption: Encryption;
}

/** Table with `pk` and `sk`; the indexes are local because only those can be read consistently. */
export class Table extends dynamodb.Table {
  constructor(scope: Construct, id: string, props: TableProps) {
    const { key } = props.encryption;
    super(scope, id, {
      tableName: props.name,
      partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'sk', type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'expires_at',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      encryption: key ? dynamodb.TableEncryption.CUSTOMER_MANAGED : undefined,
      encryptionKey: key,
      deletionProtection: props.retain,
      // A first deployment that fails takes the empty table back, so that the next one can create it.
      removalPolicy: props.retain ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    });
    for (const index of INDEXES) {
      this.addLocalSecondaryIndex({
        indexName: index,
        sortKey: { name: index, type: dynamodb.AttributeType.STRING },
        projectionType: dynamodb.ProjectionType.ALL,
      });
    }
  }

  /** ARNs of the indexes. */
  get indexArns(): string[] {
    return INDEXES.map((index) => `${this.tableArn}/index/${index}`);
  }
}
