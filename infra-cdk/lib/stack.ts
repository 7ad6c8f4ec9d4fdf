/** A stack that holds one Foreshard and says where it is. */
import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Foreshard, type ForeshardProps } from './foreshard';

export interface ForeshardStackProps extends ForeshardProps, StackProps {}

/** Its outputs are what the command line and the emulator look for. */
export class ForeshardStack extends Stack {
  readonly foreshard: Foreshard;

  constructor(scope: Construct, id: string, props: ForeshardStackProps = {}) {
    super(scope, id, { description: 'Foreshard: a control plane for batch workflows', ...props });
    this.foreshard = new Foreshard(this, 'Foreshard', props);
    const { api, table, bucket, machine, taskRole, name } = this.foreshard;
    this.output('ApiUrl', 'Submit runs here, signed', api.restApi.url);
    this.output('TableName', 'Frontier, lanes and ledger', table.tableName);
    this.output('BucketName', 'Documents, plans, outputs and reports', bucket.bucketName);
    this.output('StateMachineArn', 'One execution is one round of a run', machine.stateMachineArn);
    this.output('TaskRoleArn', 'Grant this role what the tasks need', taskRole.roleArn);
    this.output('Prefix', 'What the names of the functions begin with', name);
  }

  private output(id: string, description: string, value: string): void {
    new CfnOutput(this, id, { description, value });
  }
}
