/** The threat model names what shows each control; this shows that what it names is there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './rust-source';

const page = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');

test('every test that the threat model names exists', () => {
  const named = [...page.matchAll(/`([\w./-]+\.(?:ts|rs|py))` › `([^`]+)`/g)].map(([, path, name]) => ({ path, name }));
  expect(named.length).toBeGreaterThan(20);
  const missing = named.filter(({ path, name }) => !readFileSync(join(ROOT, path!), 'utf8').includes(name!));
  expect(missing).toEqual([]);
});

test('every file that it names exists', () => {
  const named = [...page.matchAll(/`([\w./-]+\/[\w.-]+)`/g)]
    .map((match) => match[1]!)
    .filter((path) => !path.startsWith('/'));
  const places = ['', 'infra-cdk/', 'shared/', 'shared/stages/src/'];
  const missing = named.filter((path) => !places.some((place) => existsSync(join(ROOT, place, path))));
  expect(missing).toEqual([]);
});
