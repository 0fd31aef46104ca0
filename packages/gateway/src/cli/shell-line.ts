import { basename, delimiter, dirname, relative } from "node:path";

/** Words as one line that a POSIX shell takes apart again into the same words. */
export function writeShellLine(words: readonly string[]): string {
  return words.map(quote).join(" ");
}

/** How the reader called us, to be called so again from the same folder. */
export function carillonWords(): readonly string[] {
  const [, script = "carillon"] = process.argv;
  const { PATH = "", npm_command: npmCommand } = process.env;
  if (npmCommand === "exec") return ["npx", "carillon"];
  if (basename(script) === "carillon" && PATH.split(delimiter).includes(dirname(script))) return ["carillon"];
  return ["node", relative(process.cwd(), script)];
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
