import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { expect, onTestFinished, test } from 'vitest';
import { Problem, STAGES } from '../lib';
import { Artifacts, DEFAULT_ARTIFACTS } from '../lib/artifacts';
import { dummyArtifacts } from './deployment';

test('a folder with every stage is taken', () => {
  expect(() => new Artifacts(dummyArtifacts())).not.toThrow();
});

test('every stage that is missing is named, with the command that builds it', () => {
  const folder = dummyArtifacts(['submit', 'plan', 'execute']);
  let problem: unknown;
  try {
    new Artifacts(folder);
  } catch (error) {
    problem = error;
  }
  expect(problem).toBeInstanceOf(Problem);
  const { message } = problem as Problem;
  expect(message).toContain('for dispatch, aggregate, reshard, forecast, prewarm (expected');
  expect(message).toContain('`make ship`');
  expect(message).toContain('`make functions`');
  expect(message).toContain('-c artifacts=FOLDER');
});

test('the build leaves the functions beside this package', () => {
  expect(DEFAULT_ARTIFACTS).toBe('../target/lambda');
});

/** Functions that begin as executables for a machine do. */
function builtFor(machine: number): string {
  const folder = mkdtempSync(join(dummyArtifacts(), '../built-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const header = Buffer.alloc(64);
  header.write('\x7fELF', 'latin1');
  header.writeUInt16LE(machine, 18);
  for (const stage of STAGES) {
    mkdirSync(join(folder, stage));
    writeFileSync(join(folder, stage, 'bootstrap'), header);
  }
  return folder;
}

test('functions for the architecture are taken', () => {
  expect(() => new Artifacts(builtFor(183))).not.toThrow();
  expect(() => new Artifacts(builtFor(62), lambda.Architecture.X86_64)).not.toThrow();
});

test.each([
  [62, lambda.Architecture.ARM_64, 'was built for x86_64; the functions are to run on arm64'],
  [183, lambda.Architecture.X86_64, 'was built for arm64; the functions are to run on x86_64'],
  [243, lambda.Architecture.ARM_64, 'was built for machine 243;'],
])('functions for machine %i are refused elsewhere, with what to do', (machine, architecture, said) => {
  const folder = builtFor(machine);
  expect(() => new Artifacts(folder, architecture)).toThrow(said);
  expect(() => new Artifacts(folder, architecture)).toThrow(`make ship ARCHITECTURES=${architecture.name}`);
});
