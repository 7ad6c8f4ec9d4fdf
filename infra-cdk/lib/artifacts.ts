/** Finds the functions as they were built: one folder for each stage, holding the executable `bootstrap`. */
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Problem } from './problem';
import { STAGES, type Stage } from './stages';

/** Where the build leaves the functions, seen from this package. */
export const DEFAULT_ARTIFACTS = '../target/lambda';

/** The built functions of a folder, all of them. Nothing is compiled here: synthesis needs no Rust. */
export class Artifacts {
  private readonly folder: string;

  /** Throws if a stage is missing, naming all that are. */
  constructor(folder: string = DEFAULT_ARTIFACTS) {
    this.folder = resolve(folder);
    const missing = STAGES.filter((stage) => !existsSync(join(this.folder, stage, 'bootstrap')));
    if (missing.length > 0) {
      const shown = relative('', this.folder) || '.';
      throw new Problem(
        `no built function in \`${shown}\` for ${missing.join(', ')} (expected \`${shown}/<stage>/bootstrap\`)\n` +
          'hint: build the functions with `make functions` at the root of the repository, or name the folder that holds them with `-c artifacts=FOLDER`',
      );
    }
  }

  /** The code of a stage. Functions of the same stage share one asset. */
  code(stage: Stage): lambda.Code {
    return lambda.Code.fromAsset(join(this.folder, stage));
  }
}
