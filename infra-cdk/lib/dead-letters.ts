/** Where invocations end that nobody waits for and that could not be made or failed: to be looked at, never lost in silence. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { allow } from './access';
import { acknowledge } from './acknowledge';
import type { Encryption } from './encryption';

export interface DeadLettersProps {
  readonly name: string;
  readonly encryption: Encryption;
}

/** Queue of the asynchronous invocations that failed. */
export class DeadLetters extends sqs.Queue {
  constructor(
    scope: Construct,
    id: string,
    private readonly props: DeadLettersProps,
  ) {
    const { key } = props.encryption;
    super(scope, id, {
      queueName: `${props.name}-dead-letters`,
      // The longest that SQS has: a long weekend and a holiday go by before anything is gone.
      retentionPeriod: Duration.days(14),
      enforceSSL: true,
      encryption: key ? sqs.QueueEncryption.KMS : sqs.QueueEncryption.SQS_MANAGED,
      encryptionMasterKey: key,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    acknowledge(this, {
      'AwsSolutions-SQS3': 'It is the dead-letter queue itself.',
      'Serverless-SQSRedrivePolicy': 'It is the dead-letter queue itself.',
    });
  }

  /** What the role of a function needs whose failed invocations Lambda puts here: the queue as its destination takes no more. */
  statements(): iam.PolicyStatement[] {
    return [
      allow('DeadLetters', ['sqs:SendMessage'], [this.queueArn]),
      ...this.props.encryption.statements('DeadLettersKey', ['Decrypt', 'GenerateDataKey'], ['sqs']),
    ];
  }

  /** This queue as the destination of failures. Unlike the library's own, it adds no permissions beyond `statements`. */
  asDestination(): lambda.IDestination {
    return { bind: () => ({ destination: this.queueArn }) };
  }
}
