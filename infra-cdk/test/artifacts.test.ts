import { expect, test } from 'vitest';
import { Problem } from '../lib';
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
  expect(message).toContain('for dispatch, aggregate, reshard (expected');
  expect(message).toContain('`make functions`');
  expect(message).toContain('-c artifacts=FOLDER');
});

test('the build leaves the functions beside this package', () => {
  expect(DEFAULT_ARTIFACTS).toBe('../target/lambda');
});
