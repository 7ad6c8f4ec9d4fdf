/** A folder of its own for what the CDK writes and never removes: one for each app that a test makes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Before all tests; what it answers is called behind them. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'foreshard-infra-'));
  process.env['TMPDIR'] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
