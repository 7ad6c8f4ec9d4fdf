/** Puts a whole Foreshard together. */
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Resources } from './access';
import { Api } from './api';
import { Artifacts } from './artifacts';
import { Bucket, DEFAULT_RUNS_DAYS } from './bucket';
import { EXECUTE_TIERS_MIB, ExecuteLadder } from './execute-ladder';
import { CONTROL_FUNCTIONS, environment, type Wiring } from './functions';
import { machineArns } from './machine-arns';
import { Problem } from './problem';
import { ReshardSweep } from './reshard-sweep';
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
  /** Whether control functions reserve concurrency, 145 in all; new accounts have less. Default: false. */
  readonly reserveConcurrency?: boolean;
  /** Whether the state machine sends traces to X-Ray. Default: true. */
  readonly tracing?: boolean;
  /** Whether execute publishes metrics. Default: true. */
  readonly metrics?: boolean;
  /**
   * Whether submit takes a request without an identity for one of a local user. For emulators that do not hand on who
   * signed; never on AWS. Default: false.
   */
  readonly localIdentity?: boolean;
}

/** Account and principal of whoever calls an emulator: the account is the one that emulators have by default. */
const LOCAL_IDENTITY = '000000000000|arn:aws:iam::000000000000:user/local';

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

  constructor(scope: Construct, id: string, props: ForeshardProps = {}) {
    super(scope, id);
    const name = props.name ?? DEFAULT_NAME;
    if (!isName(name)) {
      throw new Problem(`name \`${name}\` must be ${NAME_RULE}`);
    }
    const retain = props.retain ?? true;
    const tiersMib = props.executeTiersMib ?? EXECUTE_TIERS_MIB;
    const artifacts = new Artifacts(props.artifacts);
    const settings = {
      architecture: props.architecture ?? lambda.Architecture.ARM_64,
      logRetention: props.logRetention ?? logs.RetentionDays.ONE_MONTH,
      reserveConcurrency: props.reserveConcurrency ?? false,
    };

    this.name = name;
    this.table = new Table(this, 'Table', { name, retain });
    this.bucket = new Bucket(this, 'Bucket', { retain, runsDays: props.runsDays ?? DEFAULT_RUNS_DAYS });
    const arns = machineArns(this, name);
    const resources: Resources = { table: this.table, bucket: this.bucket, machine: arns };

    const executeRole = new StageRole(this, 'ExecuteRole', 'execute', resources);
    this.taskRole = new TaskRole(this, 'TaskRole', { execute: executeRole, others: props.taskRoles ?? [] });

    const wiring: Wiring = {
      FORESHARD_TABLE: this.table.tableName,
      FORESHARD_BUCKET: this.bucket.bucketName,
      FORESHARD_STATE_MACHINE: arns.machine,
      FORESHARD_EXECUTE_PREFIX: executePrefix(name),
      FORESHARD_EXECUTE_TIERS: tiersMib.join(','),
      FORESHARD_ARCHITECTURE: settings.architecture.name,
      FORESHARD_TASK_ROLE: this.taskRole.roleArn,
      FORESHARD_LANES_MAX: props.lanesMax?.toString(),
      FORESHARD_LANE_MEMORY_MIB: props.laneMemoryMib?.toString(),
      FORESHARD_METRICS: (props.metrics ?? true) ? 'on' : 'off',
      FORESHARD_LOCAL_IDENTITY: props.localIdentity ? LOCAL_IDENTITY : undefined,
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

    const { submit, plan, dispatch, aggregate, reshard } = this.stages;
    this.machine = new StateMachine(this, 'StateMachine', {
      name,
      arns,
      plan: plan.function,
      dispatch: dispatch.function,
      aggregate: aggregate.function,
      ladder: this.ladder,
      logRetention: settings.logRetention,
      tracing: props.tracing ?? true,
    });
    this.api = new Api(this, 'Api', { name, submit: submit.function, logRetention: settings.logRetention });
    new ReshardSweep(this, 'ReshardSweep', { name, reshard: reshard.function });
  }
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
