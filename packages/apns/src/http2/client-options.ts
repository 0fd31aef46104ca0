import { max31Bit } from "./frame-types.ts";
import { initialSettings } from "./settings.ts";

export interface ClientConnectionOptions {
  /** Streams open at once at most, whatever the peer allows; a peer may allow any number. @default 4096 */
  readonly mostOpenStreams?: number;
  /** What the peer may have under way to us in DATA, 65 535 to 2^31 - 1 bytes. @default 4 194 304 */
  readonly receiveWindowBytes?: number;
  /** SETTINGS_HEADER_TABLE_SIZE, the room for the peer's header compression, in bytes. @default 4096 */
  readonly headerTableBytes?: number;
  /** SETTINGS_MAX_HEADER_LIST_SIZE; a longer response header list fails its request. @default 16 384 */
  readonly maxHeaderListBytes?: number;
  /**
   * Of a response body this much is kept, 4 096 to 16 777 216 bytes. An APNs error has below 200 bytes; a list of broadcast channels
   * may have some hundred thousand. @default 4 096
   */
  readonly mostBodyBytes?: number;
  /** Id of the first stream, odd; for tests of what happens when ids run out. @default 1 */
  readonly firstStreamId?: number;
}

/** The same with every default filled in. */
export type ClientLimits = Required<ClientConnectionOptions>;

/** @throws RangeError for an option outside its range */
export function completeOptions(options: ClientConnectionOptions): ClientLimits {
  return {
    mostOpenStreams: within("mostOpenStreams", options.mostOpenStreams ?? 4096, 1, max31Bit),
    receiveWindowBytes: within(
      "receiveWindowBytes",
      options.receiveWindowBytes ?? 4_194_304,
      initialSettings.initialWindowSize,
      max31Bit,
    ),
    headerTableBytes: within(
      "headerTableBytes",
      options.headerTableBytes ?? initialSettings.headerTableSize,
      0,
      1_048_576,
    ),
    maxHeaderListBytes: within("maxHeaderListBytes", options.maxHeaderListBytes ?? 16_384, 256, 262_144),
    mostBodyBytes: within("mostBodyBytes", options.mostBodyBytes ?? 4096, 4096, 16_777_216),
    firstStreamId: within("firstStreamId", options.firstStreamId ?? 1, 1, max31Bit) | 1,
  };
}

function within(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${name} is ${value}; an integer from ${least} to ${most} is wanted`);
}
