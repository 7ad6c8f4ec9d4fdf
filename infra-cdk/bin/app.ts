/** Deploys one Foreshard, configured by context: `cdk deploy -c name=nightly -c architecture=x86_64`. */
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { DEFAULT_NAME, ForeshardStack, Problem, propsFromContext } from '../lib';

const app = new App();
try {
  const props = propsFromContext(app.node);
  // No `env`: the template names no account and no region, so the one that was tested is the one that is deployed anywhere.
  new ForeshardStack(app, props.name ?? DEFAULT_NAME, props);
  // Nothing is deployed that breaks a rule without a reason: each exception is beside what it is about.
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
} catch (error) {
  if (!(error instanceof Problem)) {
    throw error;
  }
  console.error(`error: ${error.message}`);
  process.exit(1);
}
