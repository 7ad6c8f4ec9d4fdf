/** Finds what a stage's ports need of AWS: its ports, their adapters, the operations that these call, the permissions of those. */
import { functionsOf, type RustFunction, rustFiles, source } from './rust-source';

/** The adapters, by service: the files of shared/aws/src that use one SDK belong together. */
interface Service {
  readonly sdk: string;
  readonly functions: readonly RustFunction[];
}

const FOLDER = 'shared/aws/src';

function services(): Service[] {
  const modules = new Map<string, string>();
  for (const path of rustFiles(FOLDER)) {
    const module = path.slice(FOLDER.length + 1).split('/')[0]!;
    modules.set(module, `${modules.get(module) ?? ''}\n${source(path)}`);
  }
  return [...modules.values()].flatMap((text) => {
    const sdk = /\baws_sdk_(\w+)::/.exec(text)?.[1];
    return sdk && text.includes('#[async_trait]') ? [{ sdk, functions: functionsOf(text) }] : [];
  });
}

/** Service prefix of permissions, where it is not the SDK's name (Service Authorization Reference). */
const PREFIX: Readonly<Record<string, string>> = { sfn: 'states', eventbridge: 'events' };

/** Operations whose permission is not called as they are (Service Authorization Reference). */
const NAMED_OTHERWISE: Readonly<Record<string, readonly string[]>> = {
  's3.head_object': ['s3:GetObject'],
  's3.list_objects_v2': ['s3:ListBucket'],
  's3.create_multipart_upload': ['s3:PutObject'],
  's3.upload_part': ['s3:PutObject'],
  's3.complete_multipart_upload': ['s3:PutObject'],
  // A transaction needs the permissions of its parts.
  'dynamodb.transact_write_items': [],
  'dynamodb.part.put': ['dynamodb:PutItem'],
  'dynamodb.part.delete': ['dynamodb:DeleteItem'],
  'dynamodb.part.update': ['dynamodb:UpdateItem'],
  'dynamodb.part.condition_check': ['dynamodb:ConditionCheckItem'],
  'sts.tags': ['sts:TagSession'],
};

function permissions(sdk: string, operation: string): readonly string[] {
  const action = operation.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
  return NAMED_OTHERWISE[`${sdk}.${operation}`] ?? [`${PREFIX[sdk] ?? sdk}:${action}`];
}

/** Permissions of the operations in one function, without those that it calls. */
function called(sdk: string, { body }: RustFunction): string[] {
  const operations = [...body.matchAll(/\bclient(?:\(\w+\))?\s*\.(\w+)\(\)/g)].map((match) => match[1]!);
  const parts = [...body.matchAll(/TransactWriteItem::builder\(\)\s*\.(\w+)\(/g)].map((match) => `part.${match[1]}`);
  const tags = body.includes('.set_tags(') ? ['tags'] : [];
  return [...operations, ...parts, ...tags].flatMap((operation) => permissions(sdk, operation));
}

/** The functions that `from` calls, itself among them, over as many steps as it takes. Names decide: too many rather than too few. */
function reached(service: Service, from: RustFunction): Set<RustFunction> {
  const found = new Set([from]);
  for (const one of found) {
    const own = new Set([...one.body.matchAll(/(?:self\s*\.|Self::)(\w+)\(/g)].map((match) => match[1]));
    const other = new Set(
      [...one.body.matchAll(/(?<![.\w])(?:(\w+)::)?(\w+)\(/g)].map((m) => `${m[1] ?? ''}::${m[2]}`),
    );
    for (const next of service.functions) {
      const byMethod = next.owner === one.owner && !next.trait && own.has(next.name);
      const byPath =
        !next.trait && (other.has(`${next.owner ?? ''}::${next.name}`) || (!next.owner && other.has(`::${next.name}`)));
      if (byMethod || byPath) {
        found.add(next);
      }
    }
  }
  return found;
}

/** Adapters that no deployment on AWS uses, and why; their permissions are not granted. */
export const NOT_ON_AWS: Readonly<Record<string, string>> = {};

/** Ports whose calls are signed by the task, with what its own role may do, not by the stage. */
const SIGNED_BY_THE_TASK = ['FunctionCalls'];

/** Permissions that each port needs, by the name of its trait. */
export function permissionsOfPorts(): Map<string, Set<string>> {
  const needed = new Map<string, Set<string>>();
  for (const service of services()) {
    for (const method of service.functions.filter(({ trait, owner }) => trait && !(owner! in NOT_ON_AWS))) {
      const trait = method.trait!;
      const found = needed.get(trait) ?? new Set();
      needed.set(trait, found);
      if (!SIGNED_BY_THE_TASK.includes(trait)) {
        for (const action of [...reached(service, method)].flatMap((one) => called(service.sdk, one))) {
          found.add(action);
        }
      }
    }
  }
  return needed;
}

/** Where the ports of a stage are declared. */
function declaredIn(stage: string): string {
  return stage === 'execute' ? 'shared/worker/src/worker.rs' : `shared/stages/src/${stage}/mod.rs`;
}

/** Names of the traits that the function of a stage is given, those of stages inside it included. */
export function portsOf(stage: string): Set<string> {
  const block = /^pub struct Ports \{\n([\s\S]*?)^\}/m.exec(source(declaredIn(stage)))?.[1];
  if (!block) {
    throw new Error(`no ports in ${declaredIn(stage)}`);
  }
  const traits = [...block.matchAll(/dyn (\w+)/g)].map((match) => match[1]!);
  const inner = [...block.matchAll(/: (\w+)::Ports\b/g)].flatMap((match) => [...portsOf(match[1]!)]);
  return new Set([...traits, ...inner]);
}
