export { type AnswerParts, writeAnswer, writeBody } from "./answers.ts";
export { type Assumptions, strictAssumptions, usualAssumptions } from "./assumptions.ts";
export { judge } from "./judge.ts";
export { findPayloadFault } from "./payload-rules.ts";
export { ProviderTokenSession, type UsedProviderToken } from "./provider-token-session.ts";
export { ProviderTokens } from "./provider-tokens.ts";
export { type PushRequest, readPushRequest } from "./push-request.ts";
export { findDevice, topicOf } from "./rules.ts";
export type { Sender } from "./sender.ts";
