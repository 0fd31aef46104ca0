/** Broadcast channels: requests about them, what their answers mean, and sending to them. */
export { type Broadcast, prepareBroadcast } from "./broadcast.ts";
export { readBroadcast } from "./channel-answer.ts";
export { type Carried, type ChannelRequest, channelFields } from "./channel-request.ts";
export type {
  BroadcastAccepted,
  BroadcastOutcome,
  ChannelCreated,
  ChannelDeleted,
  ChannelFailure,
  ChannelRead,
  ChannelStorage,
  ChannelsListed,
  CreateChannelOutcome,
  DeleteChannelOutcome,
  ListChannelsOutcome,
  ReadChannelOutcome,
} from "./channel-results.ts";
export { ApnsChannels, type ChannelOptions, type CreateChannelOptions } from "./channels.ts";
