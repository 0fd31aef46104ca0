export { type ExpectOptions, expectNoPush, expectPush, type PushExpectation } from "./expectation.ts";
