/** Finds the functions as they were built: one folder for each stage, holding the executable `bootstrap`. */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Problem } from './problem';
import { STAGES, type Stage } from './stages';

/** Where the build leaves the functions, seen from this package. */
export const DEFAULT_ARTIFACTS = '../target/lambda';

/** Lambda's architectures by the number of the machine in an ELF header (gABI, "ELF Header", `e_machine`). */
const MACHINES: Readonly<Record<number, string>> = { 62: 'x86_64', 183: 'arm64' };

/** The built functions of a folder, all of them. Nothing is compiled here: synthesis needs no Rust. */
export class Artifacts {
  private readonly folder: string;

  /** Throws if a stage is missing, naming all that are, or was built for a machine that is not `architecture`. */
  constructor(folder: string = DEFAULT_ARTIFACTS, architecture: lambda.Architecture = lambda.Architecture.ARM_64) {
    this.folder = resolve(folder);
    const shown = relative('', this.folder) || '.';
    const missing = STAGES.filter((stage) => !existsSync(this.bootstrap(stage)));
    if (missing.length > 0) {
      throw new Problem(
        `no built function in \`${shown}\` for ${missing.join(', ')} (expected \`${shown}/<stage>/bootstrap\`)\n` +
          'hint: build the functions with `make ship` (AWS) or `make functions` (emulator) at the root of the repository, and name the folder that holds them with `-c artifacts=FOLDER`',
      );
    }
    for (const stage of STAGES) {
      const found = machine(this.bootstrap(stage));
      if (found !== undefined && found !== architecture.name) {
        throw new Problem(
          `\`${shown}/${stage}/bootstrap\` was built for ${found}; the functions are to run on ${architecture.name}, and would not start\n` +
            `hint: build them with \`make ship ARCHITECTURES=${architecture.name}\` and name them with \`-c artifacts=../target/ship/${architecture.name}\`, or say what they were built for with \`-c architecture=…\``,
        );
      }
    }
  }

  /** The code of a stage. Functions of the same stage share one asset. */
  code(stage: Stage): lambda.Code {
    return lambda.Code.fromAsset(join(this.folder, stage));
  }

  private bootstrap(stage: Stage): string {
    return join(this.folder, stage, 'bootstrap');
  }
}

/** The architecture that an executable was built for; undefined for a script, which runs on any. */
function machine(file: string): string | undefined {
  const header = Buffer.alloc(20);
  const opened = openSync(file, 'r');
  try {
    readSync(opened, header);
  } finally {
    closeSync(opened);
  }
  if (header.toString('latin1', 0, 4) !== '\x7fELF') {
    return undefined;
  }
  const number = header.readUInt16LE(18);
  return MACHINES[number] ?? `machine ${number}`;
}
