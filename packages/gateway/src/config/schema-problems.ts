import type { TSchema } from "typebox";
import { nearName } from "./near-name.ts";

/** One thing that is wrong in what a person wrote, and what to do about it. */
export interface SchemaProblem {
  /** Keys and indices from the top down to the value. */
  readonly path: readonly (string | number)[];
  /** Full sentences. Never repeats a string that was given: it may be a secret or a device token. */
  readonly detail: string;
}

/** The part of JSON Schema that our schemas use. */
interface SchemaNode {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly SchemaNode[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: SchemaNode;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly description?: string;
}

type Path = SchemaProblem["path"];

/**
 * Everything that is wrong with `value` by `schema`, in the order of the value; empty when nothing is.
 *
 * It reads the very schemas that the API and the configuration are validated and documented with. A schema library's
 * own errors stop at a number and name rules, not cures; these are for the person who wrote the value.
 */
export function findSchemaProblems(schema: TSchema, value: unknown): SchemaProblem[] {
  const problems: SchemaProblem[] = [];
  inspect(schema as SchemaNode, value, [], problems);
  return problems;
}

function inspect(node: SchemaNode, value: unknown, path: Path, problems: SchemaProblem[]): void {
  const say = (detail: string): void => {
    problems.push({ path, detail: withMeaning(detail, node) });
  };
  if (node.anyOf !== undefined) {
    const branch = node.anyOf.find((each) => each.type === typeOf(value) || hasNumberType(each, value));
    if (branch !== undefined) inspect(branch, value, path, problems);
    else say(`This must be ${joinOr(node.anyOf.map(nameOfType))}, not ${nameOfValue(value)}.`);
    return;
  }
  const allowed = node.enum ?? (node.const === undefined ? undefined : [node.const]);
  if (allowed !== undefined) {
    if (!allowed.includes(value)) say(`This must be ${joinOr(allowed.map((each) => JSON.stringify(each)))}.`);
    return;
  }
  if (node.type !== undefined && node.type !== typeOf(value) && !hasNumberType(node, value)) {
    const cure = node.type === "string" && typeof value === "number" ? " Put it in quotes." : "";
    say(`This must be ${nameOfType(node)}, not ${nameOfValue(value)}.${cure}`);
    return;
  }
  if (typeof value === "string") inspectString(node, value, say);
  else if (typeof value === "number") inspectNumber(node, value, say);
  else if (Array.isArray(value)) inspectArray(node, value, path, problems, say);
  else if (typeof value === "object" && value !== null) inspectObject(node, value, path, problems, say);
}

function inspectString(node: SchemaNode, value: string, say: (detail: string) => void): void {
  const length = [...value].length;
  if (node.minLength !== undefined && length < node.minLength) {
    say(
      node.minLength === 1 ? "This must not be empty." : `This needs at least ${node.minLength} characters.`,
    );
  } else if (node.maxLength !== undefined && length > node.maxLength) {
    say(`This has ${length} characters; at most ${node.maxLength} are allowed.`);
  } else if (node.pattern !== undefined && !new RegExp(node.pattern, "u").test(value)) {
    say("This does not have the form it needs.");
  }
}

function inspectNumber(node: SchemaNode, value: number, say: (detail: string) => void): void {
  const low = node.minimum !== undefined && value < node.minimum;
  const high = node.maximum !== undefined && value > node.maximum;
  if (!low && !high) return;
  if (node.minimum === undefined) say(`${value} is too much: at most ${node.maximum} is allowed.`);
  else if (node.maximum === undefined) say(`${value} is too little: at least ${node.minimum} is needed.`);
  else say(`${value} is out of range: use ${node.minimum} to ${node.maximum}.`);
}

function inspectArray(
  node: SchemaNode,
  value: readonly unknown[],
  path: Path,
  problems: SchemaProblem[],
  say: (detail: string) => void,
): void {
  if (node.minItems !== undefined && value.length < node.minItems) {
    say(node.minItems === 1 ? "This needs at least one entry." : `This needs ${node.minItems} entries.`);
  }
  if (node.maxItems !== undefined && value.length > node.maxItems) {
    say(`This has ${value.length} entries; at most ${node.maxItems} are allowed.`);
    return;
  }
  const items = node.items;
  if (items !== undefined)
    value.forEach((each, index) => void inspect(items, each, [...path, index], problems));
}

function inspectObject(
  node: SchemaNode,
  value: object,
  path: Path,
  problems: SchemaProblem[],
  say: (detail: string) => void,
): void {
  const properties = node.properties ?? {};
  const known = Object.keys(properties);
  const given = Object.entries(value);
  if (given.length < (node.minProperties ?? 0) && !given.length)
    say(`This must name one of ${joinOr(known)}.`);
  if (given.length > (node.maxProperties ?? Number.POSITIVE_INFINITY)) {
    say(`Only one of ${joinOr(known)} may stand here. Take the others out.`);
  }
  for (const [key, each] of given) {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (property !== undefined) inspect(property, each, [...path, key], problems);
    else if (node.additionalProperties === false) {
      problems.push({ path: [...path, key], detail: describeUnknownKey(key, known) });
    }
  }
  for (const key of node.required ?? []) {
    if (Object.hasOwn(value, key)) continue;
    const property = properties[key] ?? {};
    problems.push({ path: [...path, key], detail: withMeaning("This is missing.", property) });
  }
}

/** For a key that means nothing here: the name it probably stands for, or all there are. */
function describeUnknownKey(key: string, known: readonly string[]): string {
  const near = nearName(key, known);
  return near !== undefined
    ? `There is no such key. Did you mean "${near}"?`
    : `There is no such key. Take it out; known here: ${known.join(", ")}.`;
}

/** The schema's own description says what the value is for, which is most of the cure. */
function withMeaning(detail: string, node: SchemaNode): string {
  return node.description === undefined ? detail : `${detail} ${node.description}`;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function hasNumberType(node: SchemaNode, value: unknown): boolean {
  return node.type === "integer" && Number.isSafeInteger(value);
}

function nameOfValue(value: unknown): string {
  if (typeof value === "number" && Number.isInteger(value)) return "a number";
  if (typeof value === "number") return "a fraction";
  return typeNames[typeOf(value)] ?? typeOf(value);
}

function nameOfType(node: SchemaNode): string {
  const type = node.type ?? typeOf(node.enum?.[0] ?? node.const);
  return typeNames[type] ?? type;
}

const typeNames: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  object: "an object",
  array: "a list",
  null: "null",
};

function joinOr(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}
