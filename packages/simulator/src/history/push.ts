/** What a request was: a push to a device, a broadcast, or one to make, read, delete or list channels. */
export const requestKinds = ["push", "broadcast", "channels"] as const;
export type RequestKind = (typeof requestKinds)[number];

/** What the simulator knows about one request when it has answered it. */
export interface PushFacts {
  readonly kind: RequestKind;
  /** "binary": the protocol that Apple retired in 2021; status and reason are today's words for the same verdict. */
  readonly protocol: "http/2" | "binary";
  /** Milliseconds since 1970 by the simulator's clock. */
  readonly atMs: number;
  /** As it was answered: the sender's, or the one made here. */
  readonly apnsId: string;
  /** Lower case; undefined where the path has none. */
  readonly deviceToken: string | undefined;
  /** As sent, or the certificate's only topic. */
  readonly topic: string | undefined;
  readonly pushType: string | undefined;
  /** For what is about channels; `apnsId` then is the `apns-request-id`, and `topic` the bundle id. */
  readonly channelId: string | undefined;
  readonly status: number;
  /** Apple's reason; undefined for a push that was accepted. */
  readonly reason: string | undefined;
  /** "withheld": processed, and never answered, by a scenario's will. */
  readonly answer: "sent" | "withheld";
  /** [name, value, ...] as received, pseudo-header fields included; of a binary frame what it has, by today's names. */
  readonly fields: readonly string[];
  readonly payload: Buffer;
  /** Connections count from 1, in the order in which they were made. */
  readonly connection: number;
  /** Of a binary frame its ordinal on the connection. */
  readonly stream: number;
}

/** One request that was answered. */
export class Push implements PushFacts {
  /** Counts from 1 and goes on over `clear`. */
  readonly sequence: number;
  readonly kind: RequestKind;
  readonly protocol: "http/2" | "binary";
  readonly atMs: number;
  readonly apnsId: string;
  readonly deviceToken: string | undefined;
  readonly topic: string | undefined;
  readonly pushType: string | undefined;
  readonly channelId: string | undefined;
  readonly status: number;
  readonly reason: string | undefined;
  readonly answer: "sent" | "withheld";
  readonly fields: readonly string[];
  readonly payload: Buffer;
  readonly connection: number;
  readonly stream: number;

  constructor(sequence: number, facts: PushFacts) {
    this.sequence = sequence;
    this.kind = facts.kind;
    this.protocol = facts.protocol;
    this.atMs = facts.atMs;
    this.apnsId = facts.apnsId;
    this.deviceToken = facts.deviceToken;
    this.topic = facts.topic;
    this.pushType = facts.pushType;
    this.channelId = facts.channelId;
    this.status = facts.status;
    this.reason = facts.reason;
    this.answer = facts.answer;
    this.fields = facts.fields;
    this.payload = facts.payload;
    this.connection = facts.connection;
    this.stream = facts.stream;
  }

  /** The time as ISO 8601. */
  get at(): string {
    return new Date(this.atMs).toISOString();
  }

  /** The header fields by name; of a name that came several times, the values joined by ", ". */
  get headers(): Readonly<Record<string, string>> {
    const headers: Record<string, string> = Object.create(null);
    for (let i = 0; i < this.fields.length; i += 2) {
      const [name, value] = [this.fields[i]!, this.fields[i + 1]!];
      headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
    }
    return headers;
  }

  /** The form of the control API. A payload that is no UTF-8 stands in base64. */
  toJSON(): Record<string, unknown> {
    const text = this.payload.toString("utf8");
    const isText = Buffer.from(text, "utf8").equals(this.payload);
    const {
      sequence,
      kind,
      protocol,
      at,
      apnsId,
      deviceToken,
      topic,
      pushType,
      channelId,
      status,
      reason,
      answer,
      headers,
      connection,
      stream,
    } = this;
    const payload = isText ? { payload: text } : { payloadBase64: this.payload.toString("base64") };
    return {
      sequence,
      kind,
      protocol,
      at,
      apnsId,
      deviceToken,
      topic,
      pushType,
      channelId,
      status,
      reason,
      answer,
      headers,
      ...payload,
      connection,
      stream,
    };
  }
}
