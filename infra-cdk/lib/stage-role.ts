/** The role of a stage: what its access says, and its own log groups. */
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { allow, PATTERNS, type Resources, statements } from './access';
import { acknowledge, wildcard } from './acknowledge';
import type { Stage } from './stages';

/** Role that Lambda assumes for the functions of one stage. No managed policy: those allow more than a stage needs. */
export class StageRole extends iam.Role {
  constructor(scope: Construct, id: string, stage: Stage, on: Resources) {
    super(scope, id, {
      description: `What the stage ${stage} of Foreshard may do`,
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    });
    for (const statement of statements(stage, on)) {
      this.addToPolicy(statement);
      for (const resource of statement.resources.filter((arn) => arn.endsWith('*'))) {
        acknowledge(this, { [wildcard(this, resource)]: PATTERNS[statement.sid ?? ''] ?? '' });
      }
    }
  }

  /** Lets Lambda send, in the name of the functions, the segments of a trace: `tracing` of a function allows that itself. */
  mayTrace(): void {
    acknowledge(this, {
      [wildcard(this, '*')]: 'X-Ray knows no resources for segments (Service Authorization Reference).',
    });
  }

  /** Lets the functions write to `groups`, which the deployment has made: creating groups is not allowed. */
  mayLog(groups: readonly logs.ILogGroup[]): void {
    this.addToPolicy(
      allow(
        'Logs',
        ['logs:CreateLogStream', 'logs:PutLogEvents'],
        groups.map((group) => group.logGroupArn),
      ),
    );
  }
}
