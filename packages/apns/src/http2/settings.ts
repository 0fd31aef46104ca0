import { type ConnectionError, errorCode, max31Bit, settingId } from "./frame-types.ts";

/** Entries of one SETTINGS frame at most; the protocol knows six. */
const mostSettingsEntries = 64;

/** What one side of a connection announced, with the protocol's initial values (RFC 9113 §6.5.2). */
export interface Settings {
  readonly headerTableSize: number;
  readonly enablePush: number;
  /** Infinity while none was announced. */
  readonly maxConcurrentStreams: number;
  readonly initialWindowSize: number;
  readonly maxFrameSize: number;
  /** Infinity while none was announced. */
  readonly maxHeaderListSize: number;
}

export const initialSettings: Settings = {
  headerTableSize: 4096,
  enablePush: 1,
  maxConcurrentStreams: Number.POSITIVE_INFINITY,
  initialWindowSize: 65_535,
  maxFrameSize: 16_384,
  maxHeaderListSize: Number.POSITIVE_INFINITY,
};

/** Reads the entries of a SETTINGS payload whose length `checkFrame` approved, in their order. */
export function decodeSettings(
  bytes: Buffer,
  start: number,
  end: number,
): (readonly [id: number, value: number])[] {
  const entries: (readonly [id: number, value: number])[] = [];
  for (let at = start; at + 6 <= end; at += 6) {
    entries.push([bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2)]);
  }
  return entries;
}

/** Whether a value is allowed for its setting (RFC 9113 §6.5.2); unknown settings always are. */
export function checkSetting(id: number, value: number): ConnectionError | undefined {
  switch (id) {
    case settingId.enablePush:
      if (value <= 1) return undefined;
      return { code: errorCode.protocolError, detail: `SETTINGS_ENABLE_PUSH is ${value}` };
    case settingId.initialWindowSize:
      if (value <= max31Bit) return undefined;
      return { code: errorCode.flowControlError, detail: `SETTINGS_INITIAL_WINDOW_SIZE is ${value}` };
    case settingId.maxFrameSize:
      if (value >= 16_384 && value <= 0xff_ffff) return undefined;
      return { code: errorCode.protocolError, detail: `SETTINGS_MAX_FRAME_SIZE is ${value}` };
    default:
      return undefined;
  }
}

/**
 * `settings` after one frame's entries in their order, or the error that ends the connection: a value that is not
 * allowed, or so many entries that the frame can only be an attack.
 */
export function adoptSettings(
  settings: Settings,
  entries: readonly (readonly [id: number, value: number])[],
): Settings | ConnectionError {
  if (entries.length > mostSettingsEntries) {
    return { code: errorCode.enhanceYourCalm, detail: `SETTINGS of ${entries.length} entries` };
  }
  let adopted = settings;
  for (const [id, value] of entries) {
    const error = checkSetting(id, value);
    if (error !== undefined) return error;
    adopted = applySetting(adopted, id, value);
  }
  return adopted;
}

/** `settings` after one entry; an unknown identifier changes nothing. */
export function applySetting(settings: Settings, id: number, value: number): Settings {
  switch (id) {
    case settingId.headerTableSize:
      return { ...settings, headerTableSize: value };
    case settingId.enablePush:
      return { ...settings, enablePush: value };
    case settingId.maxConcurrentStreams:
      return { ...settings, maxConcurrentStreams: value };
    case settingId.initialWindowSize:
      return { ...settings, initialWindowSize: value };
    case settingId.maxFrameSize:
      return { ...settings, maxFrameSize: value };
    case settingId.maxHeaderListSize:
      return { ...settings, maxHeaderListSize: value };
    default:
      return settings;
  }
}
