export { type ChannelRequest, isChannelPath, readChannelRequest } from "./channel-request.ts";
export type { ChannelCourt } from "./channel-rules.ts";
export {
  type Channel,
  Channels,
  type StoredBroadcast,
} from "./channels.ts";
export {
  type ChannelVerdict,
  carryOut,
  judgeChannelRequest,
  writeChannelAnswer,
} from "./judge-channel-request.ts";
