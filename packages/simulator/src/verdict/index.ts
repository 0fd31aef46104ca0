export { writeAnswer, writeBody } from "./answers.ts";
export { type Assumptions, strictAssumptions, usualAssumptions } from "./assumptions.ts";
export { judge, type Verdict } from "./judge.ts";
export { ProviderTokenSession } from "./provider-token-session.ts";
export { type KnownKey, ProviderTokens } from "./provider-tokens.ts";
export { deviceTokenText, type PushRequest, readPushRequest } from "./push-request.ts";
export { type Court, findDevice, topicOf } from "./rules.ts";
export type { Sender } from "./sender.ts";
