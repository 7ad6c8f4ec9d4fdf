/** The bucket of the runs: documents, plans, outputs, logs and results. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge';
import type { Encryption } from './encryption';

/** First part of a key: each has its own life and its own readers. */
export type KeyPrefix = 'uploads/' | 'bundles/' | 'workflows/' | 'runs/' | 'policies/';

/** A presigned upload is used at once or not at all; the same holds for the parts of an upload that was given up. */
const UPLOADS_DAYS = 1;
/** As long as Step Functions keeps the history of an execution (Step Functions quotas, "Execution history retention"). */
export const DEFAULT_RUNS_DAYS = 90;

export interface BucketProps {
  readonly retain: boolean;
  /** How long documents, outputs and reports of a run are kept. */
  readonly runsDays: number;
  readonly encryption: Encryption;
}

/**
 * Private bucket. `bundles/` and `workflows/` never expire: any later run may name what is in them. Nor do `policies/`, which whoever
 * runs the deployment writes.
 */
export class Bucket extends s3.Bucket {
  constructor(scope: Construct, id: string, props: BucketProps) {
    const { key } = props.encryption;
    super(scope, id, {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: key ? s3.BucketEncryption.KMS : s3.BucketEncryption.S3_MANAGED,
      encryptionKey: key,
      // One data key for many objects: at two requests a shard, KMS would cost more than S3.
      bucketKeyEnabled: key ? true : undefined,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: props.retain ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
      lifecycleRules: [
        expire('uploads/', UPLOADS_DAYS),
        expire('runs/', props.runsDays),
        { id: 'unfinished', abortIncompleteMultipartUploadAfter: Duration.days(UPLOADS_DAYS) },
      ],
    });
    acknowledge(this, {
      'AwsSolutions-S1':
        'Who reads and writes is a role of this deployment or the holder of a link that submit signed and logged. Where each ' +
        'access must be kept, data events of CloudTrail name the role and its session, which server access logs do not.',
    });
  }
}

function expire(prefix: KeyPrefix, days: number): s3.LifecycleRule {
  return { id: prefix.slice(0, -1), prefix, expiration: Duration.days(days) };
}
