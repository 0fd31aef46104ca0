import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
// A worker thread needs the built file.
import { SqliteStore } from "../../../dist/store/index.js";
import { eventCases } from "../event-cases.test-support.ts";
import { feedbackReaderCases } from "../feedback-reader-cases.test-support.ts";
import type { Store } from "../store.ts";
import { storeCases, type WithStore } from "../store-cases.test-support.ts";
import { tokenEnvironmentCases } from "../token-environment-cases.test-support.ts";
import { verdictCases } from "../verdict-cases.test-support.ts";
import { webhookCases } from "../webhook-cases.test-support.ts";
import { openDataFolder } from "./data-folder.ts";
import { loadDriver } from "./driver.ts";
import { SqliteEngine } from "./engine.ts";
import { inThreadStore } from "./in-thread-store.ts";

describe("in this thread", () => {
  allCases((run) =>
    inFolder(
      async (dataDir) => inThreadStore(new SqliteEngine(openDataFolder(await loadDriver(), dataDir))),
      run,
    ),
  );
});

describe("in a worker", () => {
  allCases((run) => inFolder((dataDir) => SqliteStore.open({ dataDir }), run));
});

function allCases(withStore: WithStore): void {
  storeCases(withStore);
  eventCases(withStore);
  verdictCases(withStore);
  tokenEnvironmentCases(withStore);
  feedbackReaderCases(withStore);
  webhookCases(withStore);
}

async function inFolder(
  open: (dataDir: string) => Promise<Store>,
  run: Parameters<Parameters<typeof storeCases>[0]>[0],
): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), "carillon-store-"));
  let folder = dataDir;
  const subject = {
    store: await open(folder),
    async reopen() {
      await subject.store.close();
      // A copy: in this thread the npm package holds the folder's lock until its statements are collected.
      const copy = join(folder, "copy");
      cpSync(join(folder, "carillon.db"), join(copy, "carillon.db"));
      folder = copy;
      subject.store = await open(folder);
    },
  };
  try {
    await run(subject);
  } finally {
    await subject.store.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
