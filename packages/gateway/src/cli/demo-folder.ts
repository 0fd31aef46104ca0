import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What `dev` and `simulate` keep from run to run, in the folder they are called in. */
export interface DemoFolder {
  readonly path: string;
  /** The gateway's queue and key. */
  readonly dataDir: string;
  /** The simulator's credentials; `dev` and `simulate` share them, so a line printed by one works with the other. */
  readonly simulatorDir: string;
}

export const demoFolderName = ".carillon";

/**
 * Makes `.carillon` where it is missing. It holds keys, so git is told to leave it alone.
 * @throws Error that says what to do
 */
export function openDemoFolder(): DemoFolder {
  const path = demoFolderName;
  const ignoreFile = join(path, ".gitignore");
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    if (!existsSync(ignoreFile)) writeFileSync(ignoreFile, "*\n");
  } catch (error) {
    const why = (error as Error).message;
    throw new Error(
      `The folder ${path} cannot be used (${why}). Start in a folder that this user may write to.`,
    );
  }
  return { path, dataDir: join(path, "data"), simulatorDir: join(path, "simulator") };
}
