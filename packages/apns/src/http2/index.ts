export { ByteWriter } from "./byte-writer.ts";
export { ClientConnection, type ConnectionPhase } from "./client-connection.ts";
export type { ClientConnectionListener, ReceivedResponse, RequestFailure } from "./client-events.ts";
export type { ClientConnectionOptions } from "./client-options.ts";
export { FrameDecoder, type FrameListener } from "./frame-decoder.ts";
export {
  decodeErrorCode,
  decodePriority,
  decodePromisedStreamId,
  decodeWindowIncrement,
} from "./frame-payloads.ts";
export { checkFrame, contentEnd, contentStart } from "./frame-rules.ts";
export {
  type ConnectionError,
  connectionPreface,
  errorCode,
  flag,
  frameHeaderBytes,
  frameType,
  max31Bit,
  settingId,
} from "./frame-types.ts";
export {
  writeData,
  writeFrameHeader,
  writeGoaway,
  writeHeaderBlock,
  writeHeaders,
  writePing,
  writeRstStream,
  writeSettings,
  writeSettingsAck,
  writeWindowUpdate,
} from "./frame-writer.ts";
export { decodeGoaway, type Goaway } from "./goaway.ts";
export { HeaderAssembler } from "./header-assembler.ts";
export { type HeaderBlock, HpackDecoder, type HpackDecoderOptions } from "./hpack/decoder.ts";
export { HpackEncoder, type HpackEncoderOptions } from "./hpack/encoder.ts";
export { apnsIndexing, type Indexing } from "./hpack/indexing.ts";
export { ReceiveWindow } from "./receive-window.ts";
export { RequestForm } from "./request-form.ts";
export {
  adoptSettings,
  applySetting,
  checkSetting,
  decodeSettings,
  initialSettings,
  type Settings,
} from "./settings.ts";
