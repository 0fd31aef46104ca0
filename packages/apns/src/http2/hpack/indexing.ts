/**
 * How a header field is written (RFC 7541 §6.2): with incremental indexing; as a literal without indexing, whose
 * name may still come from a table; or as one that no intermediary may index either. "name-only" is Apple's form
 * for values that do not recur: with incremental indexing while the name stands in no table, afterwards without
 * indexing.
 */
export type Indexing = "incremental" | "without" | "never" | "name-only";

/**
 * Field names whose values do not recur, or are secret and large. Everything else is worth a place in the table.
 */
const exceptions: ReadonlyMap<string, Indexing> = new Map([
  [":path", "without"],
  ["authorization", "without"],
  ["apns-id", "name-only"],
  ["apns-expiration", "name-only"],
  ["apns-collapse-id", "name-only"],
  // Not in Apple's list. They differ from one message to the next, as apns-id does.
  ["apns-unique-id", "name-only"],
  ["apns-request-id", "name-only"],
  ["content-length", "without"],
]);

/**
 * Apple's advice for its small table. Source: Apple, "Sending notification requests to APNs", section on HPACK;
 * nghttp2 treats :path, authorization and content-length likewise.
 */
export function apnsIndexing(name: string): Indexing {
  return exceptions.get(name) ?? "incremental";
}
