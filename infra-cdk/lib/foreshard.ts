/** Puts a whole Foreshard together. */
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Resources } from './access';
import { acknowledge } from './acknowledge';
import { Api, type ApiProps, DEFAULT_SUBMIT_THROTTLE, DEFAULT_THROTTLE } from './api';
import { Artifacts } from './artifacts';
import { Bucket, DEFAULT_RUNS_DAYS } from './bucket';
import { DeadLetters } from './dead-letters';
import { AWS_KEYS, Encryption } from './encryption';
import { Errand, FORECAST, PREWARM, SWEEP } from './errand';
import { EXECUTE_TIERS_MIB, ExecuteLadder } from './execute-ladder';
import { CONTROL_FUNCTIONS, environment, type Wiring } from './functions';
import { liveArn } from './live-arn';
import { machineArns } from './machine-arns';
import { Monitoring } from './monitoring';
import { Problem } from './problem';
import { Schedules } from './schedules';
import { StageFunction } from './stage-function';
import { StageRole } from './stage-role';
import {
  CONTROL_STAGES,
  type ControlStage,
  DEFAULT_NAME,
  executePrefix,
  functionName,
  isName,
  NAME_RULE,
} from './stages';
import { StateMachine } from './state-machine';
import { Table } from './table';
import { TaskRole } from './task-role';

export interface ForeshardProps {
  /** What every resource with a fixed name is called or begins with. Default: `foreshard`. */
  readonly name?: string;
  /** What the functions were built for. Default: arm64. */
  readonly architecture?: lambda.Architecture;
  /** Folder with `<stage>/bootstrap` for each stage. Default: `../target/lambda`, from the folder where synthesis runs. */
  readonly artifacts?: string;
  /** Most lanes that one run gets. Default: as many as the plan finds useful. */
  readonly lanesMax?: number;
  /** Memory in MiB that all lanes share, where it is scarce: an emulator's machine. Default: no such limit. */
  readonly laneMemoryMib?: number;
  /** Tiers of execute in MiB, ascending. Default: the whole ladder, 128 to 10240; new accounts may be allowed 3008 at most. */
  readonly executeTiersMib?: readonly number[];
  /** Roles beside the deployment's own that a run may name for its tasks. Default: none. */
  readonly taskRoles?: readonly string[];
  /** Whether table and bucket outlive the stack. Default: true. */
  readonly retain?: boolean;
  /** How long logs are kept. Default: one month. */
  readonly logRetention?: logs.RetentionDays;
  /** How many days documents, outputs and reports of a run are kept. Default: 90. */
  readonly runsDays?: number;
  /** Whether control functions reserve concurrency, 148 in all; new accounts have less. Default: false. */
  readonly reserveConcurrency?: boolean;
  /** Whose key encrypts what is kept: `aws`, `customer` (a key of the deployment's own) or the ARN of a key. Default: `aws`. */
  readonly kmsKey?: string;
  /** Accounts beside the deployment's own whose roles may be allowed to call the API. Default: none. */
  readonly apiAccounts?: readonly string[];
  /** Interface endpoints of `execute-api`; with one the API is private. Default: none, the API is regional. */
  readonly apiVpcEndpoints?: readonly string[];
  /** Addresses or ranges that requests must come from. Default: any. */
  readonly apiSourceIps?: readonly string[];
  /** Requests a second that the API takes from all callers together, and at once. Default: 100, 200. */
  readonly apiRatePerS?: number;
  readonly apiBurst?: number;
  /** The same for submissions. Default: 50, 100. */
  readonly apiSubmitRatePerS?: number;
  readonly apiSubmitBurst?: number;
  /** Whether there are a dashboard, alarms, and the metrics that they need from the logs. Default: true. */
  readonly monitoring?: boolean;
  /** ARN of the topic that alarms go to. Default: none. */
  readonly alarmTopic?: string;
  /** Address that a topic of the deployment's own sends alarms to, once its owner has confirmed. Default: none. */
  readonly alarmEmail?: string;
  /** Whether API, functions and state machine send traces to X-Ray. Default: true. */
  readonly tracing?: boolean;
  /** Whether execute publishes metrics. Default: true. */
  readonly metrics?: boolean;
  /** Runs that one account may start or resume at once. Default: 80. */
  readonly startsBurst?: number;
  /** Runs that one account may start or resume a minute in the long run. Default: 300. */
  readonly startsPerMinute?: number;
}

/** One deployment: front door, stages, lanes and what they keep. */
export class Foreshard extends Construct {
  readonly name: string;
  readonly table: Table;
  readonly bucket: Bucket;
  /** Role that tasks run under unless their run names another: grant it what the tasks need. */
  readonly taskRole: TaskRole;
  readonly stages: Readonly<Record<ControlStage, StageFunction>>;
  readonly ladder: ExecuteLadder;
  readonly machine: StateMachine;
  readonly api: Api;
  readonly deadLetters: DeadLetters;

  constructor(scope: Construct, id: string, props: ForeshardProps = {}) {
    super(scope, id);
    const name = props.name ?? DEFAULT_NAME;
    if (!isName(name)) {
      throw new Problem(`name \`${name}\` must be ${NAME_RULE}`);
    }
    const retain = props.retain ?? true;
    const tiersMib = props.executeTiersMib ?? EXECUTE_TIERS_MIB;
    const architecture = props.architecture ?? lambda.Architecture.ARM_64;
    const artifacts = new Artifacts(props.artifacts, architecture);
    const settings = {
      architecture,
      logRetention: props.logRetention ?? logs.RetentionDays.ONE_MONTH,
      reserveConcurrency: props.reserveConcurrency ?? false,
      tracing: props.tracing ?? true,
      encryption: new Encryption(this, 'Encryption', { name, retain, kmsKey: props.kmsKey ?? AWS_KEYS }),
    };
    const { encryption } = settings;

    this.name = name;
    this.table = new Table(this, 'Table', { name, retain, encryption });
    this.bucket = new Bucket(this, 'Bucket', { retain, encryption, runsDays: props.runsDays ?? DEFAULT_RUNS_DAYS });
    const arns = machineArns(this, name);
    const targets = tiersMib.map((mib) => liveArn(this, `${executePrefix(name)}${mib}`));
    const resources: Resources = { table: this.table, bucket: this.bucket, machine: arns, targets, encryption };

    const executeRole = new StageRole(this, 'ExecuteRole', 'execute', resources);
    this.taskRole = new TaskRole(this, 'TaskRole', { execute: executeRole, others: props.taskRoles ?? [] });

    this.deadLetters = new DeadLetters(this, 'DeadLetters', { name, encryption });
    const schedules = new Schedules(this, 'Schedules', { name, deadLetters: this.deadLetters });

    const wiring: Wiring = {
      FORESHARD_TABLE: this.table.tableName,
      FORESHARD_BUCKET: this.bucket.bucketName,
      FORESHARD_STATE_MACHINE: arns.machine,
      FORESHARD_EXECUTE_PREFIX: executePrefix(name),
      FORESHARD_EXECUTE_TIERS: tiersMib.join(','),
      FORESHARD_ARCHITECTURE: settings.architecture.name,
      FORESHARD_TASK_ROLE: this.taskRole.roleArn,
      FORESHARD_SCHEDULE_GROUP: schedules.group,
      FORESHARD_SCHEDULE_TARGET: schedules.target,
      FORESHARD_SCHEDULE_ROLE: schedules.role.roleArn,
      FORESHARD_SCHEDULE_DEAD_LETTERS: this.deadLetters.queueArn,
      FORESHARD_LANES_MAX: props.lanesMax?.toString(),
      FORESHARD_LANE_MEMORY_MIB: props.laneMemoryMib?.toString(),
      FORESHARD_METRICS: (props.metrics ?? true) ? 'on' : 'off',
      FORESHARD_STARTS_BURST: props.startsBurst?.toString(),
      FORESHARD_STARTS_PER_MINUTE: props.startsPerMinute?.toString(),
      RUST_LOG: 'info',
    };

    const control = (stage: ControlStage): StageFunction => {
      const role = new StageRole(this, `${capitalized(stage)}Role`, stage, resources);
      const made = new StageFunction(this, capitalized(stage), {
        name: functionName(name, stage),
        description: `Foreshard: stage ${stage}`,
        shape: CONTROL_FUNCTIONS[stage],
        code: artifacts.code(stage),
        environment: environment(stage, wiring),
        role,
        settings,
      });
      role.mayLog([made.logGroup]);
      if (stage === 'submit') {
        schedules.mayKeep(role);
      }
      return made;
    };
    this.stages = Object.fromEntries(CONTROL_STAGES.map((stage) => [stage, control(stage)])) as Record<
      ControlStage,
      StageFunction
    >;
    this.ladder = new ExecuteLadder(this, 'Execute', {
      prefix: name,
      tiersMib,
      code: artifacts.code('execute'),
      environment: environment('execute', wiring),
      role: executeRole,
      settings,
    });

    const { submit, plan, dispatch, aggregate, reshard, forecast, prewarm } = this.stages;
    this.machine = new StateMachine(this, 'StateMachine', {
      name,
      arns,
      plan: plan.function,
      dispatch: dispatch.function,
      aggregate: aggregate.function,
      ladder: this.ladder,
      logRetention: settings.logRetention,
      tracing: settings.tracing,
      encryption,
    });
    this.api = new Api(this, 'Api', {
      name,
      submit: submit.function,
      logRetention: settings.logRetention,
      encryption,
      tracing: settings.tracing,
      ...apiLimits(props),
    });
    schedules.wake(submit.function);
    new Errand(this, 'ReshardSweep', { ...SWEEP, name, stage: reshard, deadLetters: this.deadLetters });
    new Errand(this, 'Forecasting', { ...FORECAST, name, stage: forecast, deadLetters: this.deadLetters });
    new Errand(this, 'Prewarming', { ...PREWARM, name, stage: prewarm, deadLetters: this.deadLetters });
    if (props.monitoring ?? true) {
      const { alarmTopic, alarmEmail } = props;
      new Monitoring(this, 'Monitoring', { foreshard: this, encryption, alarmTopic, alarmEmail });
    }
    if (!settings.tracing) {
      acknowledge(this, UNTRACED);
    }
  }
}

const UNTRACED = Object.fromEntries(
  [
    'AwsSolutions-SF2',
    'Serverless-LambdaTracing',
    'Serverless-StepFunctionStateMachineXray',
    'Serverless-APIGWXrayEnabled',
  ].map((rule) => [rule, 'Whoever deploys has switched tracing off: X-Ray costs $5 a million traces.']),
);

function apiLimits(props: ForeshardProps): Pick<ApiProps, 'callers' | 'throttle' | 'submitThrottle'> {
  return {
    callers: {
      accounts: props.apiAccounts ?? [],
      vpcEndpoints: props.apiVpcEndpoints ?? [],
      sourceIps: props.apiSourceIps ?? [],
    },
    throttle: {
      ratePerS: props.apiRatePerS ?? DEFAULT_THROTTLE.ratePerS,
      burst: props.apiBurst ?? DEFAULT_THROTTLE.burst,
    },
    submitThrottle: {
      ratePerS: props.apiSubmitRatePerS ?? DEFAULT_SUBMIT_THROTTLE.ratePerS,
      burst: props.apiSubmitBurst ?? DEFAULT_SUBMIT_THROTTLE.burst,
    },
  };
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
