import type { NotificationDraft } from "./notification-draft.ts";

/**
 * Drafts that differ in device token, payload and reference only, as they stand in the body that brought them. Like every
 * draft it is validated; unlike a list of them it costs nothing for each recipient but six numbers.
 */
export interface DraftRun {
  readonly shared: SharedDraft;
  /** What `spans` point into; unchanged until the run is stored. */
  readonly bytes: Buffer;
  /** How device tokens stand in `bytes`: in hex of either case, or as they are. @default "hex" */
  readonly tokenForm?: "hex" | "bytes";
  /**
   * For each recipient where its values start and end: the device token, the payload, and the reference in UTF-8, which is
   * empty where there is none.
   */
  readonly spans: Uint32Array;
  /** 1 or more. */
  readonly recipients: number;
  /** Bytes of all payloads, each counted once however many recipients it has. */
  readonly payloadBytes: number;
}

/** What the drafts of a run have in common. */
export type SharedDraft = Omit<NotificationDraft, "deviceTokens" | "payload" | "reference" | "apnsId">;

/** Where the numbers of one recipient stand among the spans of a run. */
export const runSpan = {
  tokenStart: 0,
  tokenEnd: 1,
  payloadStart: 2,
  payloadEnd: 3,
  referenceStart: 4,
  referenceEnd: 5,
  /** So many numbers each. */
  size: 6,
} as const;

/** What a draft or a run says of all its recipients. */
export function sharedOf(draft: NotificationDraft | DraftRun): SharedDraft {
  return "spans" in draft ? draft.shared : draft;
}

/** In lower-case hex. */
export function deviceTokensOf(draft: NotificationDraft | DraftRun): Iterable<string> {
  return "spans" in draft ? deviceTokensOfRun(draft) : draft.deviceTokens;
}

/** Of one recipient of a run, in lower-case hex. */
export function deviceTokenIn({ bytes, tokenForm, spans }: DraftRun, recipient: number): string {
  const at = recipient * runSpan.size;
  const encoding = tokenForm === "bytes" ? "hex" : "latin1";
  return bytes.toString(encoding, spans[at + runSpan.tokenStart], spans[at + runSpan.tokenEnd]).toLowerCase();
}

function* deviceTokensOfRun(run: DraftRun): Iterable<string> {
  for (let recipient = 0; recipient < run.recipients; recipient += 1) yield deviceTokenIn(run, recipient);
}
