import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

function file(name: string): string {
  return fileURLToPath(new URL(`../fuzz-corpus/${name}.txt`, import.meta.url));
}

/** The inputs that once reached something new, one line of hexadecimal digits each. */
export function readCorpus(name: string): Buffer[] {
  const lines = readFileSync(file(name), "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => Buffer.from(line, "hex"));
}

export function writeCorpus(name: string, inputs: readonly Buffer[]): void {
  writeFileSync(file(name), `${inputs.map((input) => input.toString("hex")).join("\n")}\n`);
}
