/** One Lambda function as every stage has it. */
import { Duration, RemovalPolicy, Size } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge';
import type { Encryption } from './encryption';
import type { FunctionShape } from './functions';
import type { StageRole } from './stage-role';

export interface StageFunctionProps {
  readonly name: string;
  readonly description: string;
  readonly shape: FunctionShape;
  readonly code: lambda.Code;
  readonly environment: Readonly<Record<string, string>>;
  readonly role: StageRole;
  readonly settings: FunctionSettings;
}

/** What all functions of a deployment share. */
export interface FunctionSettings {
  readonly architecture: lambda.Architecture;
  readonly logRetention: logs.RetentionDays;
  /** Whether the functions that say so reserve concurrency. */
  readonly reserveConcurrency: boolean;
  readonly encryption: Encryption;
  /** Whether each invocation that its caller traces is a segment of that trace. */
  readonly tracing: boolean;
}

/** Function with a log group of its own, so that the logs end and no function may create groups. */
export class StageFunction extends Construct {
  readonly function: lambda.Function;
  readonly logGroup: logs.LogGroup;

  constructor(scope: Construct, id: string, props: StageFunctionProps) {
    super(scope, id);
    const { shape, settings } = props;
    this.logGroup = new logs.LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${props.name}`,
      retention: settings.logRetention,
      encryptionKey: settings.encryption.key,
      // What must outlive the deployment is in the ledger; a group left behind would block the next deployment's.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.function = new lambda.Function(this, 'Function', {
      functionName: props.name,
      description: props.description,
      runtime: lambda.Runtime.PROVIDED_AL2023,
      architecture: settings.architecture,
      handler: 'bootstrap',
      code: props.code,
      role: props.role,
      memorySize: shape.memoryMib,
      timeout: Duration.seconds(shape.timeoutS),
      environment: { ...props.environment },
      environmentEncryption: settings.encryption.key,
      tracing: settings.tracing ? lambda.Tracing.ACTIVE : lambda.Tracing.DISABLED,
      logGroup: this.logGroup,
      ephemeralStorageSize: shape.scratchMib ? Size.mebibytes(shape.scratchMib) : undefined,
      reservedConcurrentExecutions: settings.reserveConcurrency ? shape.reserved : undefined,
    });
    if (settings.tracing) {
      props.role.mayTrace();
    }
    acknowledge(this, {
      'Serverless-LambdaDLQ':
        'API Gateway and Step Functions invoke it and wait for the answer: a queue would never get anything. What is invoked ' +
        'asynchronously, reshard and prewarm, has a destination for failures, which unlike such a queue says why.',
    });
  }
}
