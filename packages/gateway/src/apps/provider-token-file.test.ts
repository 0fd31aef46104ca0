import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { providerTokenFile } from "./provider-token-file.ts";

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "carillon-token-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("gives back what was saved last, for its key alone, in a file for its owner alone", () => {
  const folder = makeFolder();
  const cache = providerTokenFile(folder, "ABC123DEFG", "DEF123GHIJ");
  cache.save("first");
  cache.save("second");
  expect(providerTokenFile(folder, "ABC123DEFG", "DEF123GHIJ").load()).toBe("second");
  expect(() => providerTokenFile(folder, "OTHER12345", "DEF123GHIJ").load()).toThrow("ENOENT");
  const [name = "", ...others] = readdirSync(folder);
  expect(others).toEqual([]);
  expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
});
