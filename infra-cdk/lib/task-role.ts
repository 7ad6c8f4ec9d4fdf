/** The role that tasks run under. */
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { allow } from './access';
import type { StageRole } from './stage-role';

/** Session tag that names the run; whoever reads CloudTrail sees for which run a task acted. */
export const RUN_TAG = 'foreshard:run';

export interface TaskRoleProps {
  /** Role of execute, which assumes this one for each task. */
  readonly execute: StageRole;
  /** Roles beside this one that runs may name; each must trust `execute` in the same way. */
  readonly others: readonly string[];
}

/** Role without a permission: those who own the tasks give it what the tasks need. Only execute may assume it, for a named run. */
export class TaskRole extends iam.Role {
  constructor(scope: Construct, id: string, props: TaskRoleProps) {
    super(scope, id, {
      description: 'What tasks of Foreshard may do, unless their run names another role',
      assumedBy: new iam.SessionTagsPrincipal(
        new iam.ArnPrincipal(props.execute.roleArn).withConditions({
          Null: { [`aws:RequestTag/${RUN_TAG}`]: 'false' },
        }),
      ),
    });
    props.execute.addToPolicy(
      allow('AssumeTaskRole', ['sts:AssumeRole', 'sts:TagSession'], [this.roleArn, ...props.others]),
    );
  }
}
