import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openSealingKey, SealingKeyError } from "./sealing-key.ts";

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "carillon-sealing-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("makes a key at the first start, for its owner alone, and finds it again", () => {
  const folder = makeFolder();
  const file = join(folder, "deep", "webhooks.key");
  const key = openSealingKey(file);
  expect(key).toHaveLength(32);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(folder, "deep"))).toEqual(["webhooks.key"]);
  expect(openSealingKey(file)).toEqual(key);
});

test("takes a key that somebody put there, with or without a line break", () => {
  const file = join(makeFolder(), "webhooks.key");
  const key = Buffer.alloc(32, 7);
  for (const end of ["", "\n"]) {
    writeFileSync(file, key.toString("base64") + end);
    expect(openSealingKey(file)).toEqual(key);
  }
});

test("a file that holds no key, and one that cannot be read, are told with what to do", () => {
  const folder = makeFolder();
  const file = join(folder, "webhooks.key");
  for (const text of ["", "short", Buffer.alloc(31).toString("base64")]) {
    writeFileSync(file, text);
    expect(() => openSealingKey(file)).toThrow(SealingKeyError);
    expect(() => openSealingKey(file)).toThrow(/Put the file back from a backup/);
  }
  mkdirSync(join(folder, "folder"));
  expect(() => openSealingKey(join(folder, "folder"))).toThrow(/CARILLON_WEBHOOKS_SEALING_KEY/);
});
