import { expect, test } from "vitest";
import { faultOf, loadDriver } from "./driver.ts";

class DatabaseSync {
  readonly path: string;
  constructor(path: string) {
    this.path = path;
  }
}

test("prefers Node's own SQLite and falls back to the npm package", async () => {
  const offers = async (name: string): Promise<unknown> => {
    if (name !== "@photostructure/sqlite") throw new Error(`No such built-in module: ${name}`);
    return { DatabaseSync };
  };
  expect((await loadDriver(offers)).name).toBe("@photostructure/sqlite");
  const builtIn = await loadDriver(async () => ({ DatabaseSync }));
  expect(builtIn.name).toBe("node:sqlite");
  expect(builtIn.open("x")).toEqual({ path: "x" });
});

test("without either it says what to do, and why each could not be loaded", async () => {
  const failing = loadDriver((name) => Promise.reject(new Error(`no ${name}`)));
  await expect(failing).rejects.toThrow(
    "No SQLite can be loaded. Use Node 22.13 or newer, or install the optional package @photostructure/sqlite " +
      "(npm install @photostructure/sqlite). node:sqlite: no node:sqlite; @photostructure/sqlite: no @photostructure/sqlite",
  );
});

test.each([
  [5, "busy"],
  [6, "busy"],
  [261, "busy"], // SQLITE_BUSY_RECOVERY: the low byte decides
  [13, "full"],
  [10, "broken"],
  [1034, "broken"], // SQLITE_IOERR_FSYNC
  [11, "broken"],
  [26, "broken"],
  [8, "broken"],
  [14, "broken"],
  [7, "broken"],
  [19, "other"], // SQLITE_CONSTRAINT
  [1, "other"],
])("sorts the result code %i as %s", (errcode, kind) => {
  expect(faultOf(Object.assign(new Error("x"), { errcode }))).toBe(kind);
});

test("an error that is not SQLite's is no fault of the disk", () => {
  expect(faultOf(new TypeError("x"))).toBe("other");
  expect(faultOf("x")).toBe("other");
});
