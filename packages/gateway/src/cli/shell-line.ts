import { basename, delimiter, dirname, relative } from "node:path";

/** Words as one line that a POSIX shell takes apart again into the same words. */
export function writeShellLine(words: readonly string[]): string {
  return words.map(quote).join(" ");
}

export interface Invocation {
  /** What Node was told to run: a path. */
  readonly script: string;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** How the reader called us, to be called so again from the same folder. */
export function carillonWords({ script, folder, environment }: Invocation): readonly string[] {
  const { PATH = "", npm_command: npmCommand } = environment;
  if (npmCommand === "exec") return ["npx", "carillon"];
  if (basename(script) === "carillon" && PATH.split(delimiter).includes(dirname(script))) return ["carillon"];
  return ["node", relative(folder, script)];
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
