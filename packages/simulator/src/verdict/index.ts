export { writeAnswer, writeBody } from "./answers.ts";
export { judge } from "./judge.ts";
export { ProviderTokenSession } from "./provider-token-session.ts";
export { ProviderTokens } from "./provider-tokens.ts";
export { deviceTokenText, readPushRequest } from "./push-request.ts";
export { topicOf } from "./rules.ts";
export type { Sender } from "./sender.ts";
