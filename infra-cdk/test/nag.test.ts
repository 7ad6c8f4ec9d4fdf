import { Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, type NagPack, ServerlessChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { expect, test } from 'vitest';
import type { ForeshardStackProps } from '../lib';
import { appWith, EVERY_OPTION } from './deployment';

/** Everything on, everything off: what an option adds is checked as well. */
const DEPLOYMENTS: Record<string, ForeshardStackProps> = {
  'as it is': {},
  'with every option': EVERY_OPTION,
  'with as little as possible': { tracing: false, monitoring: false, executeTiersMib: [512] },
};

interface Finding {
  readonly rule: string;
  readonly path: string;
}

/** What a pack finds when nothing is acknowledged. */
function findings(pack: NagPack, app: IConstruct): Finding[] {
  // cdk-nag hides what is acknowledged; this test needs to know what it hides.
  (pack as any).isAcknowledged = () => false;
  return pack
    .validateScope(app)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      (violatingResources ?? []).map((resource: any) => ({ rule: ruleName, path: resource.constructPath })),
    );
}

interface Acknowledgement {
  readonly rule: string;
  readonly path: string;
  readonly reason: string;
}

function acknowledgements(app: IConstruct): Acknowledgement[] {
  return app.node.findAll().flatMap((construct) =>
    construct.node.metadata
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) => Object.entries(data as Record<string, string>))
      .map(([id, reason]) => ({ rule: id.replace(/^annotation::/i, ''), path: construct.node.path, reason })),
  );
}

const covers = (outer: string, inner: string) => inner === outer || inner.startsWith(`${outer}/`);

test.each(Object.entries(DEPLOYMENTS))('%s, a deployment follows every rule, or says why not', (_, props) => {
  const app = appWith(props);
  const found = [new AwsSolutionsChecks(app), new ServerlessChecks(app)].flatMap((pack) => findings(pack, app));
  const said = acknowledgements(app);
  const matches = (a: Acknowledgement, f: Finding) => a.rule === f.rule && covers(a.path, f.path);

  expect(found.length).toBeGreaterThan(10);
  expect(found.filter((f) => !said.some((a) => matches(a, f)))).toEqual([]);
  expect(said.filter((a) => !found.some((f) => matches(a, f)))).toEqual([]);
  expect(said.filter(({ reason }) => reason.split(' ').length < 5)).toEqual([]);
});
