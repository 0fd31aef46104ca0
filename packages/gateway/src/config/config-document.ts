import { readFileSync } from "node:fs";
import { type Document, isMap, isScalar, LineCounter, parseDocument } from "yaml";
import type { ConfigProblem } from "./config.ts";

/** A configuration file as it was written, and where in it each key stands. */
export interface ConfigDocument {
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  /** `carillon.yaml:12` for the deepest part of the path that was written. */
  locate(path: readonly (string | number)[]): string;
}

const mostBytes = 4 * 1024 * 1024;

/** Reads a YAML file. Whatever is wrong with it comes back as problems, each with its line. */
export function readConfigDocument(file: string, name: string): ConfigDocument {
  const refuse = (detail: string): ConfigDocument => ({
    value: undefined,
    problems: [{ where: name, path: "", detail }],
    locate: () => name,
  });
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    return refuse(explainReadError(error));
  }
  if (text.length > mostBytes) return refuse("This is larger than 4 MiB: it is not a configuration.");
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = [...document.errors, ...document.warnings].map(({ message, pos }) => ({
    where: `${name}:${lines.linePos(pos[0]).line}`,
    path: "",
    detail: `This is not valid YAML: ${message}.`,
  }));
  if (problems.length > 0) return { value: undefined, problems, locate: () => name };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    return refuse(`This cannot be read as YAML: ${(error as Error).message}.`);
  }
  return { value, problems: [], locate: (path) => `${name}${lineOf(document, lines, path)}` };
}

/** Why a file could not be read, and what to do about it. */
export function explainReadError(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "There is no such file. Create it or correct the path.";
  if (code === "EACCES") return "This process may not read the file. Give its user the right to.";
  if (code === "EISDIR") return "This is a folder. Name a file in it.";
  return `It cannot be read: ${message}.`;
}

function lineOf(document: Document, lines: LineCounter, path: readonly (string | number)[]): string {
  for (let length = path.length; length > 0; length--) {
    const offset = offsetOf(document, path.slice(0, length));
    if (offset !== undefined) return `:${lines.linePos(offset).line}`;
  }
  return "";
}

/** Where the key of a pair stands, or else the value. */
function offsetOf(document: Document, path: readonly (string | number)[]): number | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => isScalar(key) && key.value === path.at(-1));
    return isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
  }
  const node = document.getIn(path, true) as { range?: readonly number[] | null } | undefined;
  return node?.range?.[0];
}
