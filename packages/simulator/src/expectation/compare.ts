/** One thing that is not as expected. */
export interface Difference {
  /** Such as `payload.aps.alert.title`. */
  readonly path: string;
  readonly expected: unknown;
  readonly found: unknown;
}

const mostDifferences = 20;

/**
 * Where `found` is not what `expected` says. Objects must have the members that are expected and may have more; lists must
 * have the same length; everything else must be the same.
 */
export function compare(expected: unknown, found: unknown, path: string): readonly Difference[] {
  const differences: Difference[] = [];
  collect(expected, found, path, differences);
  return differences;
}

function collect(expected: unknown, found: unknown, path: string, differences: Difference[]): void {
  if (differences.length >= mostDifferences || Object.is(expected, found)) return;
  if (Array.isArray(expected) && Array.isArray(found) && expected.length === found.length) {
    for (const [at, each] of expected.entries()) collect(each, found[at], `${path}[${at}]`, differences);
    return;
  }
  if (isObject(expected) && isObject(found)) {
    for (const [name, each] of Object.entries(expected)) {
      const member = Object.hasOwn(found, name) ? found[name] : undefined;
      collect(each, member, path === "" ? name : `${path}.${name}`, differences);
    }
    return;
  }
  differences.push({ path, expected, found });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
