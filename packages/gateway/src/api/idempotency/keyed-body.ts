import type { App } from "../../apps/index.ts";
import { type Delivery, packIds, type Recalled, unpackIds } from "../../delivery/index.ts";
import { Results } from "../submission/results.ts";
import { draftsIn, type SubmittedEntry } from "../submission/submission-reader.ts";
import { keyUsedForAnother } from "./request-key.ts";
import { digestOf, parseRecord, writeRecord } from "./request-record.ts";

/** What became of a JSON body. */
export interface TakenBody {
  readonly ids: readonly string[];
  readonly results: Results;
  /** It was taken before, under the same key. */
  readonly isReplay: boolean;
}

/**
 * Takes a JSON body under its key, or finds what was taken under it. What is remembered stands on disk with the
 * notifications or not at all, so that a kill between the two cannot be seen.
 * @param read reads the body; at least one of its entries is valid
 * @throws {ApiProblem} the key belongs to another body, or the body is refused as a whole
 */
export async function takeKeyedBody(
  body: Buffer,
  key: string,
  app: App,
  delivery: Delivery,
  read: (nowMs: number) => Promise<readonly SubmittedEntry[]>,
): Promise<TakenBody> {
  const { name } = app.config;
  const digest = digestOf(body);
  const recalled = await delivery.recall(name, key);
  const known = replay(recalled, digest);
  if (known !== undefined) return known;
  const nowMs = Date.now();
  const entries = await read(nowMs);
  const results = Results.of(entries, nowMs);
  const ids = await delivery.take(name, draftsIn(entries), {
    key,
    ...(recalled === undefined ? {} : { replaces: recalled.revision }),
    record: (ids) => writeRecord({ kind: "whole", digest, ids: packIds(ids.list()), slots: results.slots }),
  });
  return { ids: ids.list(), results, isReplay: false };
}

function replay(recalled: Recalled | undefined, digest: string): TakenBody | undefined {
  if (recalled?.record === undefined) return undefined;
  const record = parseRecord(recalled.record);
  if (record.kind !== "whole" || record.digest !== digest) throw keyUsedForAnother();
  return { ids: unpackIds(record.ids), results: new Results(record.slots), isReplay: true };
}
