/** Where alarms go: a topic that exists, an address, both, or nowhere. */
import { Aws } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as subscriptions from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge';
import { type Encryption, serviceMay } from './encryption';

export interface AlarmTopicProps {
  readonly name: string;
  /** ARN of a topic; its policy must let CloudWatch publish. */
  readonly topic?: string;
  readonly email?: string;
  readonly encryption: Encryption;
}

/** The topics of a deployment. */
export class AlarmTopic extends Construct {
  readonly actions: readonly cloudwatch.IAlarmAction[];

  constructor(scope: Construct, id: string, props: AlarmTopicProps) {
    super(scope, id);
    const topics: sns.ITopic[] = [];
    if (props.topic) {
      topics.push(sns.Topic.fromTopicArn(this, 'Given', props.topic));
    }
    if (props.email) {
      topics.push(ownTopic(this, props.email, props));
    }
    this.actions = topics.map((topic) => new actions.SnsAction(topic));
  }
}

function ownTopic(scope: Construct, email: string, props: AlarmTopicProps): sns.Topic {
  const topic = new sns.Topic(scope, 'Topic', {
    topicName: `${props.name}-alarms`,
    displayName: `Foreshard ${props.name}`,
    enforceSSL: true,
    masterKey: props.encryption.key ?? ownKey(scope, props.name),
  });
  // A topic with a policy of its own lets nobody publish who is not named.
  topic.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: 'Alarms',
      principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
    }),
  );
  topic.addSubscription(new subscriptions.EmailSubscription(email));
  acknowledge(topic, {
    'Serverless-SNSRedrivePolicy':
      'SNS tries a mail for hours. One that never arrives loses nothing: the alarm stays on the dashboard until its cause is gone.',
  });
  return topic;
}

/** CloudWatch may not use AWS's own key of SNS, so an encrypted topic needs another ($1 a month). */
function ownKey(scope: Construct, name: string): kms.Key {
  const key = new kms.Key(scope, 'Key', {
    description: `Foreshard: alarms of the deployment ${name}`,
    enableKeyRotation: true,
  });
  key.addToResourcePolicy(
    serviceMay('Alarms', 'cloudwatch.amazonaws.com', ['kms:Decrypt', 'kms:GenerateDataKey'], {
      StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
    }),
  );
  return key;
}
