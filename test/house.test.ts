import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { mayEnter } from "./house-rules.ts";

const packagesFolder = join(dirname(dirname(fileURLToPath(import.meta.url))), "packages");
const packageOfModule: Readonly<Record<string, string>> = {
  "@carillon/apns": "apns",
  "@carillon/apns/binary": "apns/binary",
  "@carillon/apns/credentials": "apns/credentials",
  "@carillon/apns/http2": "apns/http2",
  "@carillon/simulator": "simulator",
  carillon: "gateway",
};

interface Import {
  readonly from: string;
  readonly specifier: string;
  /** The file it names, for relative imports. */
  readonly target: string | undefined;
}

const files = sourceFiles();
const imports = files.flatMap(importsOf);

test("imports follow the table of allowed directions", () => {
  expect(findWrongDirections(imports)).toEqual([]);
});

test("a room is entered by its door, index.ts, and its own files never go through the door", () => {
  expect(findSideEntrances(imports)).toEqual([]);
});

test("no files import each other in a circle", () => {
  expect(findCycle(imports)).toBeUndefined();
});

test("every room is named in the table", () => {
  const rooms = new Set(
    files.map(roomOf).filter((room) => room.startsWith("apns/") || room.startsWith("gateway/")),
  );
  expect([...rooms].filter((room) => !(room in mayEnter))).toEqual([]);
});

test("the rules find what they forbid", () => {
  const file = (path: string) => join(packagesFolder, path);
  const planted = (from: string, to: string): Import => ({
    from: file(from),
    specifier: to,
    target: file(to),
  });
  const upward = planted("apns/src/notification/a.ts", "apns/src/client/index.ts");
  expect(findWrongDirections([upward])).toHaveLength(1);
  const foreign = { from: file("apns/src/client/a.ts"), specifier: "carillon", target: undefined };
  expect(findWrongDirections([foreign])).toHaveLength(1);
  expect(findSideEntrances([planted("apns/src/client/a.ts", "apns/src/http2/b.ts")])).toHaveLength(1);
  expect(findSideEntrances([planted("apns/src/client/a.ts", "apns/src/client/index.ts")])).toHaveLength(1);
  expect(findCycle([planted("a.ts", "b.ts"), planted("b.ts", "c.ts"), planted("c.ts", "a.ts")])).toHaveLength(
    4,
  );
});

function sourceFiles(): string[] {
  return readdirSync(packagesFolder, { recursive: true, encoding: "utf8" })
    .filter((path) => /^[^/]+\/src\/.*\.ts$/.test(path) && !/\.test(-support)?\.ts$/.test(path))
    .map((path) => join(packagesFolder, path));
}

function importsOf(from: string): Import[] {
  const statements = readFileSync(from, "utf8").matchAll(
    /^\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|^\s*import\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm,
  );
  return [...statements].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? "";
    return {
      from,
      specifier,
      target: specifier.startsWith(".") ? resolve(dirname(from), specifier) : undefined,
    };
  });
}

/** `apns/client` for a file in that folder; `apns` for one directly in src; the simulator counts as one room. */
function roomOf(file: string): string {
  const [packageName = "", , folder = "", ...rest] = relative(packagesFolder, file).split("/");
  return rest.length === 0 || packageName === "simulator" ? packageName : `${packageName}/${folder}`;
}

function findWrongDirections(all: readonly Import[]): string[] {
  return all.flatMap((each) => {
    const from = roomOf(each.from);
    const to = each.target === undefined ? packageOfModule[each.specifier] : roomOf(each.target);
    if (to === undefined || to === from) return [];
    const isRoot = !from.includes("/");
    if (isRoot && to.startsWith(`${from}/`)) return [];
    return mayEnter[from]?.includes(to)
      ? []
      : [`${relative(packagesFolder, each.from)}: ${from} may not enter ${to}`];
  });
}

function findSideEntrances(all: readonly Import[]): string[] {
  return all.flatMap((each) => {
    if (each.target === undefined) return [];
    const [from, to] = [folderRoom(each.from), folderRoom(each.target)];
    if (to === undefined) return [];
    const throughDoor = each.target.endsWith(`/src/${to.folder}/index.ts`);
    const inside = from?.packageName === to.packageName && from.folder === to.folder;
    const where = `${relative(packagesFolder, each.from)} → ${each.specifier}`;
    if (inside) return throughDoor ? [`${where}: a room's own file goes through its door`] : [];
    return throughDoor ? [] : [`${where}: enters a room beside its door`];
  });
}

/** The folder directly below `src/` that a file lies in; in the simulator too. */
function folderRoom(file: string): { packageName: string; folder: string } | undefined {
  const [packageName = "", , folder = "", ...rest] = relative(packagesFolder, file).split("/");
  return rest.length === 0 ? undefined : { packageName, folder };
}

function findCycle(all: readonly Import[]): string[] | undefined {
  const targets = new Map<string, Import[]>();
  for (const each of all) targets.set(each.from, [...(targets.get(each.from) ?? []), each]);
  const finished = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file))
      return [...path.slice(path.indexOf(file)), file].map((each) => relative(packagesFolder, each));
    if (finished.has(file)) return undefined;
    for (const each of targets.get(file) ?? []) {
      const found = each.target === undefined ? undefined : visit(each.target, [...path, file]);
      if (found !== undefined) return found;
    }
    finished.add(file);
    return undefined;
  };
  for (const file of targets.keys()) {
    const found = visit(file, []);
    if (found !== undefined) return found;
  }
  return undefined;
}
