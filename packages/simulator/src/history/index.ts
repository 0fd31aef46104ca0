export { History, type HistoryOptions, type PushFilter, type WaitOptions } from "./history.ts";
export { type Push, type PushFacts, type RequestKind, requestKinds } from "./push.ts";
