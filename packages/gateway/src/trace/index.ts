/** What became of one notification, step by step, in words. */
export { Tracer } from "./tracer.ts";
