/** The front door: a REST API whose every route needs a signature, all answered by submit. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigateway';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge';
import { type ApiCallers, apiPolicy } from './api-policy';
import type { Encryption } from './encryption';
import { CONTROL_FUNCTIONS } from './functions';
import { answerAsSubmit } from './gateway-answers';

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
  ['POST', '/validate'],
  ['PUT', '/workflows'],
  ['GET', '/workflows'],
  ['GET', '/workflows/{name}'],
  ['GET', '/workflows/{name}/{version}'],
  ['GET', '/schedules'],
  ['GET', '/schedules/{schedule}'],
  ['PUT', '/schedules/{schedule}'],
  ['DELETE', '/schedules/{schedule}'],
  ['POST', '/schedules/{schedule}/pause'],
  ['POST', '/schedules/{schedule}/resume'],
  ['POST', '/schedules/{schedule}/backfill'],
  ['POST', '/uploads'],
  ['GET', '/pool'],
  ['GET', '/forecasts'],
  ['GET', '/prewarm'],
  ['GET', '/openapi.json'],
] as const;

/** First part of the path; a change that breaks callers gets another. */
const STAGE_NAME = 'v1';

/**
 * People, schedules and progress bars, not data, come this way. If a request took 50 ms (an assumption, not measured on
 * AWS), 100 a second would keep five environments of submit busy; API Gateway allows an account 10,000 a second over all its APIs, so one caller cannot use up the others' share.
 */
export const DEFAULT_THROTTLE: Throttle = { ratePerS: 100, burst: 200 };
/**
 * A submission costs what its run costs, a question costs nothing: submissions have a limit of their own, below the 150 to 300
 * executions a second that Step Functions starts (Step Functions quotas, "StartExecution").
 */
export const DEFAULT_SUBMIT_THROTTLE: Throttle = { ratePerS: 50, burst: 100 };

/** TLS 1.2 with forward secrecy at least, post-quantum key exchange where the caller can (API Gateway, "Supported security policies"). */
const SECURITY_POLICY = 'SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09';

/** Requests that are let through; the others get 429. */
export interface Throttle {
  readonly ratePerS: number;
  readonly burst: number;
}

export interface ApiProps {
  readonly name: string;
  readonly submit: lambda.Function;
  readonly logRetention: logs.RetentionDays;
  readonly encryption: Encryption;
  readonly callers: ApiCallers;
  readonly throttle: Throttle;
  /** Of `POST /runs` and of `POST /validate`, each. */
  readonly submitThrottle: Throttle;
  readonly tracing: boolean;
}

/** REST API, regional, or private where endpoints are named. No CORS: browsers do not sign requests. */
export class Api extends Construct {
  readonly restApi: apigateway.RestApi;

  constructor(scope: Construct, id: string, props: ApiProps) {
    super(scope, id);
    const accessLog = new logs.LogGroup(this, 'AccessLog', {
      logGroupName: `/aws/apigateway/${props.name}`,
      retention: props.logRetention,
      encryptionKey: props.encryption.key,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // What is submitted or validated is parsed and planned: that takes longer than any look.
    const judging = {
      throttlingRateLimit: props.submitThrottle.ratePerS,
      throttlingBurstLimit: props.submitThrottle.burst,
    };
    this.restApi = new apigateway.RestApi(this, 'Api', {
      restApiName: props.name,
      description: 'Foreshard: submit runs and follow them',
      endpointConfiguration: endpoint(this, props.callers),
      policy: apiPolicy(props.callers),
      defaultMethodOptions: { authorizationType: apigateway.AuthorizationType.IAM },
      // API Gateway writes logs with one role for the whole account; it is kept when the deployment goes.
      cloudWatchRole: true,
      deployOptions: {
        stageName: STAGE_NAME,
        tracingEnabled: props.tracing,
        // Execution logs could hold headers and bodies: the access log says what is needed.
        dataTraceEnabled: false,
        throttlingRateLimit: props.throttle.ratePerS,
        throttlingBurstLimit: props.throttle.burst,
        methodOptions: { '/runs/POST': judging, '/validate/POST': judging },
        accessLogDestination: new apigateway.LogGroupLogDestination(accessLog),
        accessLogFormat: apigateway.AccessLogFormat.custom(JSON.stringify(ACCESS_LOG)),
      },
    });
    const resource = this.restApi.node.defaultChild as apigateway.CfnRestApi;
    resource.securityPolicy = SECURITY_POLICY;
    resource.endpointAccessMode = 'STRICT';
    // The deployment's own outputs say where the API is.
    this.restApi.node.tryRemoveChild('Endpoint');
    answerAsSubmit(this.restApi);

    const integration = new apigateway.LambdaIntegration(props.submit, {
      timeout: Duration.seconds(CONTROL_FUNCTIONS.submit.timeoutS),
      // One permission for the API instead of two for each route.
      scopePermissionToMethod: false,
    });
    for (const [method, path] of ROUTES) {
      this.restApi.root.resourceForPath(path).addMethod(method, integration);
    }
    acknowledge(this, EXCEPTIONS);
  }

  /** Lets `grantee` call every route. */
  grantInvoke(grantee: iam.IGrantable): void {
    for (const method of this.restApi.methods) {
      method.grantExecute(grantee);
    }
  }
}

function endpoint(scope: Construct, callers: ApiCallers): apigateway.EndpointConfiguration {
  if (callers.vpcEndpoints.length === 0) {
    return { types: [apigateway.EndpointType.REGIONAL] };
  }
  return {
    types: [apigateway.EndpointType.PRIVATE],
    vpcEndpoints: callers.vpcEndpoints.map((vpcEndpointId) =>
      ec2.InterfaceVpcEndpoint.fromInterfaceVpcEndpointAttributes(scope, vpcEndpointId, { vpcEndpointId, port: 443 }),
    ),
  };
}

/** Rules that the API does not follow, and why. */
const EXCEPTIONS = {
  'AwsSolutions-APIG2':
    'submit checks every request against the model and answers all of its problems at once, with code, place and hint; the ' +
    'gateway would answer one, without them. Size, throttle and signature are checked before any function runs.',
  'AwsSolutions-APIG3':
    'Every method needs a signature of AWS, and the resource policy can close the API to accounts, addresses and endpoints. A ' +
    'web ACL costs $5 a month and more: who wants one associates it with the stage, whose ARN `foreshard.api` has.',
  'AwsSolutions-APIG6':
    'The execution log can hold headers and bodies. The access log has request, principal, status, latency and error of each ' +
    'request, and submit logs what it refuses and why.',
  'AwsSolutions-COG4': 'Callers are roles and people of AWS accounts: every method needs their signature (AWS_IAM).',
  'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]':
    'API Gateway takes one role for all logs of an account and checks for this policy when it is set.',
};

/** Who asked for what, and how it went: neither path parameters nor queries, headers or bodies. */
const ACCESS_LOG = {
  request: '$context.requestId',
  time: '$context.requestTime',
  principal: '$context.identity.userArn',
  method: '$context.httpMethod',
  route: '$context.resourcePath',
  status: '$context.status',
  latency_ms: '$context.responseLatency',
  submit_ms: '$context.integration.latency',
  response_bytes: '$context.responseLength',
  error: '$context.error.responseType',
  trace: '$context.xrayTraceId',
  source_ip: '$context.identity.sourceIp',
  tls: '$context.tlsVersion',
};
