/** The one state machine that serves every run. */
import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { allow } from './access';
import { acknowledge, wildcard } from './acknowledge';
import type { Encryption } from './encryption';
import type { ExecuteLadder } from './execute-ladder';
import { definition } from './lanes';
import type { MachineArns } from './machine-arns';

export interface StateMachineProps {
  readonly name: string;
  readonly arns: MachineArns;
  readonly plan: lambda.Function;
  readonly dispatch: lambda.Function;
  readonly aggregate: lambda.Function;
  readonly ladder: ExecuteLadder;
  readonly logRetention: logs.RetentionDays;
  readonly tracing: boolean;
  readonly encryption: Encryption;
}

/** Standard state machine: a run may last longer than an Express one may. */
export class StateMachine extends sfn.StateMachine {
  constructor(scope: Construct, id: string, props: StateMachineProps) {
    super(scope, id, {
      stateMachineName: props.name,
      stateMachineType: sfn.StateMachineType.STANDARD,
      comment: 'Foreshard: one round of a run',
      definitionBody: sfn.DefinitionBody.fromString(JSON.stringify(definition())),
      definitionSubstitutions: {
        Plan: props.plan.functionArn,
        Dispatch: props.dispatch.functionArn,
        Aggregate: props.aggregate.functionArn,
      },
      role: role(scope, `${id}Role`, props),
      tracingEnabled: props.tracing,
      logs: {
        // This prefix keeps the resource policy of CloudWatch Logs within its 5,120 characters when there are many machines.
        destination: new logs.LogGroup(scope, `${id}Logs`, {
          logGroupName: `/aws/vendedlogs/states/${props.name}`,
          retention: props.logRetention,
          encryptionKey: props.encryption.key,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
        level: sfn.LogLevel.ERROR,
        includeExecutionData: false,
      },
    });
    acknowledge(this, {
      'AwsSolutions-SF1':
        'Step Functions keeps the events of an execution for 90 days itself, and the ledger what each shard did; writing all ' +
        'of them to CloudWatch Logs as well would cost more than the transitions, and with data would log payloads.',
    });
  }
}

/** May invoke the stages of a run, and start lanes as executions of itself (Step Functions, "IAM policies for Distributed Map"). */
function role(scope: Construct, id: string, props: StateMachineProps): iam.Role {
  const { arns } = props;
  const made = new iam.Role(scope, id, {
    description: 'What the state machine of Foreshard may do',
    assumedBy: new iam.ServicePrincipal('states.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
    }),
  });
  const control = [props.plan, props.dispatch, props.aggregate].map((stage) => stage.functionArn);
  const tiers = [...props.ladder.live.values()].map((alias) => alias.functionArn);
  made.addToPolicy(allow('InvokeStages', ['lambda:InvokeFunction'], [...control, ...tiers]));
  made.addToPolicy(allow('StartLanes', ['states:StartExecution'], [arns.machine]));
  made.addToPolicy(
    allow('FollowLanes', ['states:DescribeExecution', 'states:StopExecution'], [arns.executions, arns.laneExecutions]),
  );
  acknowledge(made, {
    [wildcard(made, arns.executions)]: EXECUTIONS,
    [wildcard(made, arns.laneExecutions)]: EXECUTIONS,
    [wildcard(made, '*')]: 'Log delivery and X-Ray know no resources (Service Authorization Reference).',
  });
  return made;
}

const EXECUTIONS =
  'Executions are named after runs and lanes, which no deployment knows: the state machine is the limit.';
