export { History, type HistoryOptions, type PushFilter, type WaitOptions } from "./history.ts";
export type { Push, PushFacts } from "./push.ts";
