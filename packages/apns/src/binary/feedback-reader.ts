import { type BinaryPeerOptions, readFeedbackOptions } from "./binary-client-options.ts";
import { FeedbackDecoder } from "./feedback-tuple.ts";
import { explainSocket, openResettableTls, type ResettableTls } from "./open-tls.ts";

/** A device on which the app is no more: forget it, unless it registered again since. */
export interface GoneDevice {
  /** Lower case. */
  readonly deviceToken: string;
  /** When the service found out, in milliseconds since 1970. */
  readonly goneSinceMs: number;
}

/** How reading the feedback service went. */
export type FeedbackReading =
  /** The service told all it had and closed. */
  | { readonly kind: "complete"; readonly devices: number }
  /** What was told counts; the list is emptied by reading, so the rest may be lost. */
  | { readonly kind: "broken-off"; readonly devices: number; readonly detail: string }
  | { readonly kind: "unreachable"; readonly detail: string };

export interface FeedbackOptions extends BinaryPeerOptions {
  /** The service is silent for so long: reading ends, 1 to 600 000 ms. @default 30 000 */
  readonly silenceMs?: number;
}

/**
 * Reads the feedback service once, until it closes. `told` is called for each device as it comes, because the service tells it to
 * nobody else: keep it before anything else is done. Where that takes time it returns a promise: nothing more is read until it
 * resolves, and the connection is not ended in order before all are kept. Where it fails the connection is reset: a bridge then tells
 * all of it to the next reader.
 *
 * @throws ApnsError `bad-option`, `bad-certificate` or `bad-key`, each with what to do; and what `told` throws, which ends the reading
 */
export async function readFeedback(
  options: FeedbackOptions,
  told: (device: GoneDevice) => void | Promise<void>,
): Promise<FeedbackReading> {
  const peer = readFeedbackOptions(options);
  const { silenceMs = 30_000 } = options;
  const decoder = new FeedbackDecoder();
  let opened: ResettableTls;
  try {
    opened = await openResettableTls(peer);
  } catch (error) {
    return { kind: "unreachable", detail: explainSocket(error as Error, peer) };
  }
  const { socket } = opened;
  let devices = 0;
  let isOpen = false;
  let hasEnded = false;
  let detail: string | undefined;
  let failure: { readonly error: unknown } | undefined;
  let telling = Promise.resolve();
  const tellAll = async (): Promise<void> => {
    for (let read = decoder.next(); read !== undefined; read = decoder.next()) {
      if (read.kind === "malformed") {
        detail = `what came is no feedback: ${read.detail}`;
        opened.reset();
        return;
      }
      const { deviceToken, goneSinceSeconds } = read.value;
      const kept = told({ deviceToken: deviceToken.toString("hex"), goneSinceMs: goneSinceSeconds * 1000 });
      if (kept !== undefined) await kept;
      devices += 1;
    }
  };
  socket.setTimeout(silenceMs, () => socket.destroy(new Error(`nothing was heard for ${silenceMs} ms`)));
  socket.once("secureConnect", () => {
    isOpen = true;
  });
  socket.on("data", (chunk: Buffer) => {
    decoder.receive(chunk);
    // The next bytes are not taken before these are kept; the time that takes is not the service's.
    socket.pause().setTimeout(0);
    telling = tellAll().then(
      () => void socket.resume().setTimeout(silenceMs),
      (error: unknown) => {
        failure = { error };
        opened.reset();
      },
    );
  });
  socket.once("end", () => {
    hasEnded = true;
    // Our end says that all is kept. After a reset there is no end to be had.
    void telling.then(() => socket.end());
  });
  socket.on("error", (error) => {
    detail ??= explainSocket(error, peer);
  });
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await telling;
  if (failure !== undefined) throw failure.error;
  if (!isOpen) return { kind: "unreachable", detail: detail ?? "the connection closed before TLS was done" };
  if (decoder.isInTuple) detail ??= "the connection ended within a tuple";
  if (!hasEnded) detail ??= "the connection ended without a last word";
  return detail === undefined ? { kind: "complete", devices } : { kind: "broken-off", devices, detail };
}
