import { decodeGoaway, flag, frameType, settingId } from "@carillon/apns/http2";

/** A GOAWAY that the peer sent. */
export interface ReceivedGoaway {
  readonly lastStreamId: number;
  readonly code: number;
  readonly debug: string;
}

/** What one peer sent, so far. */
export interface FramesSeen {
  /** How many of each type, by the names of RFC 9113; those of no known type as "unknown". */
  readonly frames: Readonly<Record<string, number>>;
  /** PINGs that were no answers. */
  readonly pings: number;
  /** The settings that it announced, the newest value of each. */
  readonly settings: Readonly<Record<string, number>>;
  /** The newest ten. */
  readonly goaways: readonly ReceivedGoaway[];
}

const names: readonly string[] = [
  ...["DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY"],
  ...["WINDOW_UPDATE", "CONTINUATION", "unknown"],
];

const settingNames = new Map(Object.entries(settingId).map(([name, id]) => [id as number, name]));
const mostGoaways = 10;
const mostDebugBytes = 200;

/** Counts the frames of one peer, in bounded memory. */
export class FrameTally {
  private readonly counts = new Array<number>(names.length).fill(0);
  private readonly settings = new Map<string, number>();
  private readonly goaways: ReceivedGoaway[] = [];
  private pings = 0;

  /** One well-formed frame came. */
  count(type: number, flags: number): void {
    const index = type < names.length - 1 ? type : names.length - 1;
    this.counts[index] = this.counts[index]! + 1;
    if (type === frameType.ping && (flags & flag.ack) === 0) this.pings += 1;
  }

  addSetting(id: number, value: number): void {
    const name = settingNames.get(id);
    if (name !== undefined) this.settings.set(name, value);
  }

  /** The payload of a GOAWAY came. */
  addGoaway(bytes: Buffer, start: number, end: number): void {
    const { lastStreamId, code, debug } = decodeGoaway(bytes, start, end);
    const text = Buffer.from(debug).toString("utf8", 0, mostDebugBytes);
    this.goaways.push({ lastStreamId, code, debug: text });
    if (this.goaways.length > mostGoaways) this.goaways.shift();
  }

  get seen(): FramesSeen {
    const frames: Record<string, number> = {};
    for (const [index, name] of names.entries()) {
      const count = this.counts[index]!;
      if (count > 0) frames[name] = count;
    }
    return {
      ...{ frames, pings: this.pings },
      settings: Object.fromEntries(this.settings),
      goaways: [...this.goaways],
    };
  }
}
