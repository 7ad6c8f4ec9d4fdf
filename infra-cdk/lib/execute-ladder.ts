/** The functions of execute: one for each memory tier, because the memory of a function is fixed when it is published. */
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { LONGEST_TIMEOUT_S } from './functions';
import { StageFunction, type StageFunctionProps } from './stage-function';
import { executePrefix, LIVE } from './stages';

/**
 * Memory tiers in MiB. Lambda gives CPU by memory: 1,769 MiB is one vCPU, and at 3,538, 5,307, 7,076 and 10,240 a further
 * one becomes visible (AWS Lambda, "Configure function memory"). Below 1,769 a tier is twice the one before it.
 */
export const EXECUTE_TIERS_MIB: readonly number[] = [128, 256, 512, 1024, 1769, 3538, 5307, 7076, 10240];

/** Bounds of `/tmp` in MiB (Lambda quotas). The least is free, more costs $0.0000000309 a GB-s (us-east-1, arm64 and x86_64). */
const SCRATCH_LEAST_MIB = 512;
const SCRATCH_MOST_MIB = 10_240;
/** A task may read as much as it holds in memory, and write as much again. */
const SCRATCH_PER_MEMORY = 2;

/**
 * Scratch of a tier. Twice the memory adds at most 0.5 % to the price of the memory ($0.0000133334 a GB-s on arm64), and a
 * shard that runs out of scratch would have to be repeated one tier up at twice the price.
 */
export function scratchMib(memoryMib: number): number {
  return Math.min(Math.max(memoryMib * SCRATCH_PER_MEMORY, SCRATCH_LEAST_MIB), SCRATCH_MOST_MIB);
}

export interface ExecuteLadderProps extends Omit<StageFunctionProps, 'name' | 'description' | 'shape'> {
  /** Prefix of the deployment. */
  readonly prefix: string;
  readonly tiersMib: readonly number[];
}

/** All tiers. They share code, role and wiring and differ in size alone. */
export class ExecuteLadder extends Construct {
  /** The alias that lanes invoke, by tier. */
  readonly live: ReadonlyMap<number, lambda.Alias>;

  constructor(scope: Construct, id: string, props: ExecuteLadderProps) {
    super(scope, id);
    const tiers = props.tiersMib.map((mib) => {
      const tier = new StageFunction(this, `Mib${mib}`, {
        ...props,
        name: `${executePrefix(props.prefix)}${mib}`,
        description: `Foreshard: executes shards with ${mib} MiB`,
        shape: { memoryMib: mib, timeoutS: LONGEST_TIMEOUT_S, scratchMib: scratchMib(mib) },
      });
      const live = new lambda.Alias(tier, 'Live', { aliasName: LIVE, version: tier.function.currentVersion });
      return { mib, logGroup: tier.logGroup, live };
    });
    props.role.mayLog(tiers.map((tier) => tier.logGroup));
    this.live = new Map(tiers.map((tier) => [tier.mib, tier.live]));
  }
}
