/** Reads the Rust sources of this repository as far as tests compare with them: functions, whose they are, what they call. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export const ROOT = '..';

/** Text of a file of the repository, without its unit tests. */
export function source(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8').split('\n#[cfg(test)]\n')[0]!;
}

/** Paths of the Rust files below a folder of the repository. */
export function rustFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.rs') && entry.name !== 'tests.rs')
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();
}

/** One function, as rustfmt lays it out. */
export interface RustFunction {
  readonly name: string;
  /** The type that it belongs to; none for a free function. */
  readonly owner?: string;
  /** The trait that the type implements with it. */
  readonly trait?: string;
  readonly body: string;
}

const IMPL = /^impl(?:<[^\n]*>)? (?:(\w+) for )?(\w+)[^\n]*\{\n([\s\S]*?)^\}/gm;
const METHOD = /^ {4}(?:pub(?:\([^)]*\))? )?(?:async )?fn (\w+)([\s\S]*?)^ {4}\}/gm;
const FREE = /^(?:pub(?:\([^)]*\))? )?(?:async )?fn (\w+)([\s\S]*?)^\}/gm;

/** Every function of a text. */
export function functionsOf(text: string): RustFunction[] {
  const methods = [...text.matchAll(IMPL)].flatMap(([, trait, owner, block]) =>
    [...block!.matchAll(METHOD)].map(([, name, body]) => ({ name: name!, owner, trait, body: body! })),
  );
  const free = [...text.matchAll(FREE)].map(([, name, body]) => ({ name: name!, body: body! }));
  return [...methods, ...free];
}
