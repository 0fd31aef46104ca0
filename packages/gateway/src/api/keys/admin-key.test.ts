import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AdminKeyError, isSameKey, openAdminKey } from "./admin-key.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "admin-key-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("makes a key at the first start, readable for its owner alone, and finds it again", () => {
  const file = join(folder, "deep", "admin.key");
  const key = openAdminKey(file);
  expect(key).toMatch(/^ck_[\w-]{43}$/);
  expect(readFileSync(file, "utf8")).toBe(key);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(openAdminKey(file)).toBe(key);
  expect(readdirSync(join(folder, "deep"))).toEqual(["admin.key"]);
});

test("makes another key in another folder", () => {
  expect(openAdminKey(join(folder, "a"))).not.toBe(openAdminKey(join(folder, "b")));
});

test("takes a key that somebody wrote there, with or without a line break", () => {
  const file = join(folder, "admin.key");
  writeFileSync(file, "a-key-of-our-own-choice\n");
  expect(openAdminKey(file)).toBe("a-key-of-our-own-choice");
});

test.each(["", "\n", "short", "two words are not a key", "a".repeat(513)])(
  "refuses a file that holds %j and says what to do, without repeating it",
  (text) => {
    const file = join(folder, "admin.key");
    writeFileSync(file, text);
    const open = (): string => openAdminKey(file);
    expect(open).toThrow(AdminKeyError);
    expect(open).toThrow(/Delete it and start again/);
    if (text.trim() !== "") expect(open).not.toThrow(text);
  },
);

test("says so where a file stands in place of the folder", () => {
  writeFileSync(join(folder, "file"), "");
  expect(() => openAdminKey(join(folder, "file", "admin.key"))).toThrow(/neither read nor made/);
});

test("compares whole keys, whatever their lengths", () => {
  expect(isSameKey("secret", "secret")).toBe(true);
  for (const other of ["", "secre", "secret ", "Secret", "secretsecret"])
    expect(isSameKey(other, "secret")).toBe(false);
});
