import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RETRIED_ERRORS, STAGE_ERRORS } from '../lib/errors';

const SOURCE = join(__dirname, '../../shared/stages/src/error.rs');

/** The words of `pub const WORDS: [&str; n] = ["A", "B"];`. */
function wordsOfRust(source: string): string[] {
  const found = /pub const WORDS:\s*\[&str;\s*(\d+)\]\s*=\s*\[([^\]]*)\]/.exec(source);
  if (!found) {
    throw new Error(`${SOURCE} has no \`pub const WORDS: [&str; n] = […]\``);
  }
  const words = [...(found[2] ?? '').matchAll(/"(\w+)"/g)].map((match) => match[1] ?? '');
  expect(words).toHaveLength(Number(found[1]));
  return words;
}

test('the state machine knows the same words as StageError', () => {
  expect(existsSync(SOURCE), `${SOURCE} is missing: it names the errors of the stages`).toBe(true);
  expect([...STAGE_ERRORS]).toEqual(wordsOfRust(readFileSync(SOURCE, 'utf8')));
});

test('what was rejected is not tried again, everything else of ours is', () => {
  expect(STAGE_ERRORS.filter((word) => !RETRIED_ERRORS.includes(word))).toEqual(['Rejected']);
});
