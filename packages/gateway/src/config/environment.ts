import { configSchema } from "./config-schema.ts";
import { nearName } from "./near-name.ts";

export type Environment = Readonly<Record<string, string | undefined>>;
type Path = readonly (string | number)[];

/** What a variable sets. */
export interface EnvironmentSetting {
  readonly variable: string;
  readonly path: Path;
  readonly value: string | number | boolean;
}

export interface ReadEnvironment {
  readonly settings: readonly EnvironmentSetting[];
  /** Variables that look like settings and are none. */
  readonly unknown: readonly { readonly variable: string; readonly detail: string }[];
  readonly warnings: readonly string[];
}

interface SchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
}

const prefix = "CARILLON_";

/**
 * Finds the settings among the environment variables. Empty variables count as absent.
 *
 * A variable that begins like a section of the configuration (`CARILLON_LISTEN_…`) and names no key is a mistake. Any other
 * one is only warned about: orchestrators put names of their own there, such as CARILLON_PORT for a service "carillon".
 */
export function readEnvironment(environment: Environment): ReadEnvironment {
  const settings: EnvironmentSetting[] = [];
  const unknown: { variable: string; detail: string }[] = [];
  const warnings: string[] = [];
  const known = knownVariables(configSchema as SchemaNode, []);
  for (const variable of Object.keys(environment).sort()) {
    const text = environment[variable];
    if (!variable.startsWith(prefix) || text === undefined || text === "") continue;
    const found = findKey(variable.slice(prefix.length), configSchema as SchemaNode, []);
    if (found !== undefined) {
      settings.push({ variable, path: found.path, value: readValue(text, found.node) });
      continue;
    }
    if (otherVariables.has(variable)) continue;
    const near = nearName(variable, known);
    const hint = near === undefined ? "" : ` Did you mean ${near}?`;
    if (sections.some((section) => variable.startsWith(`${prefix}${section}_`))) {
      unknown.push({ variable, detail: `There is no such setting.${hint} Unset it or correct its name.` });
    } else warnings.push(`${variable} sets nothing.${hint}`);
  }
  return { settings, unknown, warnings };
}

/** The environment variable of a key. */
export function variableOf(path: Path): string {
  return prefix + path.map((step) => (typeof step === "number" ? String(step) : capitals(step))).join("_");
}

const sections = Object.keys(configSchema.properties).map(capitals);

/** Variables with our prefix that other parts of Carillon read. */
const otherVariables = new Set([
  "CARILLON_CONFIG",
  "CARILLON_URL",
  "CARILLON_API_KEY",
  "CARILLON_PASSPHRASE",
  "CARILLON_SIMULATOR_PORT",
  "CARILLON_SIMULATOR_CONTROL_PORT",
  "CARILLON_CORPORA",
]);

function capitals(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

function findKey(rest: string, node: SchemaNode, path: Path): { path: Path; node: SchemaNode } | undefined {
  if (node.items !== undefined) {
    if (isValue(node.items) && /^\d{1,4}$/.test(rest))
      return { path: [...path, Number(rest)], node: node.items };
    const [, index, behind] = /^(\d{1,4})_(.+)$/.exec(rest) ?? [];
    return index === undefined || behind === undefined
      ? undefined
      : findKey(behind, node.items, [...path, Number(index)]);
  }
  for (const [key, property] of Object.entries(node.properties ?? {})) {
    const name = capitals(key);
    if (rest === name && isValue(property)) return { path: [...path, key], node: property };
    if (!rest.startsWith(`${name}_`)) continue;
    const found = findKey(rest.slice(name.length + 1), property, [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isValue(node: SchemaNode): boolean {
  return node.properties === undefined && node.items === undefined;
}

function readValue(text: string, node: SchemaNode): string | number | boolean {
  if (node.type === "integer" && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (node.type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

/** All names, with the first entry of each list, to guess from. */
function knownVariables(node: SchemaNode, path: Path): string[] {
  if (node.items !== undefined) return knownVariables(node.items, [...path, 0]);
  if (isValue(node)) return [variableOf(path)];
  return Object.entries(node.properties ?? {}).flatMap(([key, property]) =>
    knownVariables(property, [...path, key]),
  );
}
