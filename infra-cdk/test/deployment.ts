/** Synthesises deployments from dummy functions, and reads what the template says. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { ForeshardStack, type ForeshardStackProps, STAGES } from '../lib';

/** A folder of functions as the build leaves it, of the given stages: the same folder for the same stages. */
export function dummyArtifacts(stages: readonly string[] = STAGES): string {
  const folder = join('node_modules/.cache/foreshard', stages.join('-'));
  for (const stage of stages) {
    mkdirSync(join(folder, stage), { recursive: true });
    writeFileSync(join(folder, stage, 'bootstrap'), `#!/bin/sh\n# ${stage}\n`, { mode: 0o755 });
  }
  return folder;
}

const artifacts = dummyArtifacts();

const { context } = JSON.parse(readFileSync('cdk.json', 'utf8'));

/** An app with one deployment, under the feature flags of cdk.json. */
export function appWith(props: ForeshardStackProps = {}): App {
  const app = new App({ context });
  new ForeshardStack(app, 'foreshard', { artifacts, ...props });
  return app;
}

const templates = new Map<string, Template>();

/** The template of a deployment. Synthesis takes a second: tests that ask for the same one share it. */
export function synthesise(props: ForeshardStackProps = {}): Template {
  const key = JSON.stringify(props);
  const made = templates.get(key) ?? Template.fromStack(appWith(props).node.findChild('foreshard') as ForeshardStack);
  templates.set(key, made);
  return made;
}

/** A deployment that differs in `props`, without what is large and beside the point: it is ready in a third of the time. */
export function variant(props: ForeshardStackProps): Template {
  return synthesise({ monitoring: false, executeTiersMib: [512], ...props });
}

/** The template that is deployed when nothing is configured. */
export const template = synthesise();

/** A deployment with every option that adds or closes something. */
export const EVERY_OPTION: ForeshardStackProps = {
  kmsKey: 'customer',
  apiAccounts: ['123456789012'],
  apiSourceIps: ['192.0.2.0/24'],
  apiSubmitRatePerS: 5,
  alarmTopic: 'arn:aws:sns:eu-west-1:123456789012:on-call',
  alarmEmail: 'on-call@example.com',
  reserveConcurrency: true,
};

/** The template with every option. */
export const fullTemplate = () => synthesise(EVERY_OPTION);

/** Properties of a resource, as JSON. */
export type Properties = Record<string, any>;

/** Resources of a type with their logical ids, in the order of the template. */
export function resources(
  type: string,
  from: Template = template,
): [string, { Properties: Properties } & Properties][] {
  return Object.entries(from.findResources(type)) as [string, { Properties: Properties } & Properties][];
}

/** A value with its intrinsics as text: `{Ref: X}` is `${X}`, `Fn::GetAtt` is `${X.Arn}`, joined parts are put together. */
export function text(value: any): string {
  if (typeof value === 'string') {
    return value;
  }
  if (value.Ref) {
    return `\${${value.Ref}}`;
  }
  if (value['Fn::GetAtt']) {
    return `\${${value['Fn::GetAtt'].join('.')}}`;
  }
  if (value['Fn::Join']) {
    const [separator, parts] = value['Fn::Join'];
    return parts.map(text).join(separator);
  }
  throw new Error(`no text for ${JSON.stringify(value)}`);
}

/** One statement of a policy, with lists even where the template has a single string. */
export interface Statement {
  readonly sid: string;
  readonly actions: string[];
  readonly resources: string[];
  readonly conditions: any;
}

/** What the role with this logical id may do, by its own policies. */
export function statementsOf(roleId: string, from: Template = template): Statement[] {
  return resources('AWS::IAM::Policy', from)
    .filter(([, policy]) => policy.Properties.Roles.some((role: any) => role.Ref === roleId))
    .flatMap(([, policy]) => policy.Properties.PolicyDocument.Statement)
    .map((statement: any) => ({
      sid: statement.Sid,
      actions: [statement.Action].flat(),
      resources: [statement.Resource].flat().map(text),
      conditions: statement.Condition,
    }));
}

/** The logical id of the only role whose id contains `part`. */
export function roleId(part: string, from: Template = template): string {
  const found = resources('AWS::IAM::Role', from).filter(([id]) => id.includes(part));
  if (found.length !== 1) {
    throw new Error(`${found.length} roles are called ${part}`);
  }
  return found[0]![0];
}

/** The properties of the function `name`. */
export function lambdaNamed(name: string, from: Template = template): Properties {
  const found = resources('AWS::Lambda::Function', from).find(([, f]) => f.Properties.FunctionName === name);
  if (!found) {
    throw new Error(`no function ${name}`);
  }
  return found[1].Properties;
}
