/** The front door: a REST API whose every route needs a signature, all answered by submit. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigateway';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { CONTROL_FUNCTIONS } from './functions';

/** Every route there is; API Gateway refuses the others before a function runs. */
export const ROUTES = [
  ['POST', '/runs'],
  ['GET', '/runs'],
  ['GET', '/runs/{run}'],
  ['POST', '/runs/{run}/cancel'],
  ['POST', '/runs/{run}/pause'],
  ['POST', '/runs/{run}/resume'],
  ['GET', '/runs/{run}/events'],
  ['GET', '/runs/{run}/plan'],
  ['GET', '/runs/{run}/result'],
  ['GET', '/runs/{run}/logs'],
  ['PUT', '/workflows'],
  ['GET', '/workflows'],
  ['GET', '/workflows/{name}/{version}'],
  ['POST', '/uploads'],
  ['GET', '/pool'],
] as const;

/** First part of the path; a change that breaks callers gets another. */
const STAGE_NAME = 'v1';

/**
 * People, schedules and progress bars, not data, come this way. At some 50 ms a request, 100 a second keep five environments
 * of submit busy; API Gateway allows an account 10,000 a second over all its APIs, so one caller cannot use up the others' share.
 */
const THROTTLE_PER_S = 100;
const THROTTLE_BURST = 200;

export interface ApiProps {
  readonly name: string;
  readonly submit: lambda.Function;
  readonly logRetention: logs.RetentionDays;
}

/** Regional REST API. No CORS: browsers do not sign requests. */
export class Api extends Construct {
  readonly restApi: apigateway.RestApi;

  constructor(scope: Construct, id: string, props: ApiProps) {
    super(scope, id);
    const accessLog = new logs.LogGroup(this, 'AccessLog', {
      logGroupName: `/aws/apigateway/${props.name}`,
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.restApi = new apigateway.RestApi(this, 'Api', {
      restApiName: props.name,
      description: 'Foreshard: submit runs and follow them',
      endpointConfiguration: { types: [apigateway.EndpointType.REGIONAL] },
      defaultMethodOptions: { authorizationType: apigateway.AuthorizationType.IAM },
      // API Gateway writes logs with one role for the whole account; it is kept when the deployment goes.
      cloudWatchRole: true,
      deployOptions: {
        stageName: STAGE_NAME,
        throttlingRateLimit: THROTTLE_PER_S,
        throttlingBurstLimit: THROTTLE_BURST,
        accessLogDestination: new apigateway.LogGroupLogDestination(accessLog),
        accessLogFormat: apigateway.AccessLogFormat.custom(JSON.stringify(ACCESS_LOG)),
      },
    });
    // The deployment's own outputs say where the API is.
    this.restApi.node.tryRemoveChild('Endpoint');

    const integration = new apigateway.LambdaIntegration(props.submit, {
      timeout: Duration.seconds(CONTROL_FUNCTIONS.submit.timeoutS),
      // One permission for the API instead of two for each route.
      scopePermissionToMethod: false,
    });
    for (const [method, path] of ROUTES) {
      this.restApi.root.resourceForPath(path).addMethod(method, integration);
    }
  }

  /** Lets `grantee` call every route. */
  grantInvoke(grantee: iam.IGrantable): void {
    for (const method of this.restApi.methods) {
      method.grantExecute(grantee);
    }
  }
}

/** Who asked for what, and how it went: neither path parameters nor queries, headers or bodies. */
const ACCESS_LOG = {
  request: '$context.requestId',
  time: '$context.requestTime',
  principal: '$context.identity.userArn',
  method: '$context.httpMethod',
  route: '$context.resourcePath',
  status: '$context.status',
  latency_ms: '$context.responseLatency',
  response_bytes: '$context.responseLength',
  error: '$context.error.responseType',
};
