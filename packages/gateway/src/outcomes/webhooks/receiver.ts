import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import { rootCertificates } from "node:tls";
import type { Clock } from "@carillon/apns";
import { explainCallError } from "./call-error.ts";
import { findAddresses, type ResolveName } from "./receiver-names.ts";
import type { ReceiverPolicy } from "./receiver-policy.ts";
import { readRetryAfter } from "./retry-after.ts";

/** What one call must keep to. */
export interface CallLimits {
  /** From the look-up of the name to the status. @default 20,000 */
  readonly deadlineMs: number;
  /** How long an answer may go on behind its status. The status counts; the rest is read to use the connection again. */
  readonly restMs: number;
  /** So much of it is read; then the connection is closed. @default 65,536 */
  readonly answerBytes: number;
}

export const defaultCallLimits: CallLimits = { deadlineMs: 20_000, restMs: 1_000, answerBytes: 65_536 };

export interface ReceiverOptions {
  readonly url: string;
  readonly policy: ReceiverPolicy;
  readonly resolve: ResolveName;
  readonly clock: Clock;
  readonly limits: CallLimits;
  /** Trust anchors (PEM) beside Node's own. */
  readonly ca?: string;
}

export type CallResult = { readonly latencyMs: number } & (
  | { readonly kind: "answered"; readonly status: number; readonly retryAfterMs?: number }
  /** No status came. */
  | { readonly kind: "failed"; readonly detail: string }
  /** Nothing was sent: the address is not allowed. */
  | { readonly kind: "refused"; readonly detail: string }
);

/** A connection that nobody uses is closed after this. */
const idleMs = 4_000;

/** Of several addresses the next is tried when one has not answered for so long. */
const nextAddressMs = 2_000;

/**
 * The far end of one endpoint: posts to it, never follows where it points, never unpacks what it sends, and connects only
 * to addresses that were checked for this very call. Between calls it keeps one connection.
 */
export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #calls = new Set<AbortController>();

  constructor(options: ReceiverOptions) {
    this.#options = options;
    const { url, ca } = options;
    const settings = { keepAlive: true, maxSockets: 2, maxFreeSockets: 1, timeout: idleMs };
    this.#agent = url.startsWith("https:")
      ? new HttpsAgent({ ...settings, ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) })
      : new HttpAgent(settings);
  }

  /** Never rejects. */
  async post(body: Uint8Array, headers: Readonly<Record<string, string>>): Promise<CallResult> {
    const { clock, limits } = this.#options;
    const startedMs = clock.monotonic();
    const call = new AbortController();
    this.#calls.add(call);
    const { deadlineMs } = limits;
    const late = new Error(`no status came within ${deadlineMs / 1_000} s`);
    const timer = clock.setTimer(() => call.abort(late), deadlineMs);
    try {
      const result = await this.#post(body, headers, call.signal);
      return { ...result, latencyMs: Math.round(clock.monotonic() - startedMs) };
    } finally {
      timer.cancel();
      this.#calls.delete(call);
    }
  }

  /** Ends what is under way, too. */
  close(): void {
    for (const call of this.#calls) call.abort(new Error("the call was called off"));
    this.#agent.destroy();
  }

  async #post(
    body: Uint8Array,
    headers: Readonly<Record<string, string>>,
    stop: AbortSignal,
  ): Promise<Unmeasured> {
    const { policy, resolve } = this.#options;
    const checked = policy.checkUrl(this.#options.url);
    if (checked.kind === "refused") return checked;
    const { url } = checked;
    try {
      const found = policy.checkAddresses(await orStop(findAddresses(url, resolve), stop));
      if (found.kind === "refused") return found;
      const send = () => this.#send({ url, addresses: found.addresses, body, headers, stop });
      const first = await send();
      // The receiver closed the connection that was kept just as it was used. If it has read this all the same, it knows the id.
      return first === "connection was stale" ? await send().then(orFailed) : first;
    } catch (error) {
      return { kind: "failed", detail: explainCallError(stop.aborted ? stop.reason : error) };
    }
  }

  #send({ url, addresses, body, headers, stop }: Outgoing): Promise<Unmeasured | "connection was stale"> {
    const { limits } = this.#options;
    const options = {
      method: "POST",
      agent: this.#agent,
      headers: { ...headers, "content-length": body.byteLength, "accept-encoding": "identity" },
      lookup: lookUpAmong(addresses),
      autoSelectFamilyAttemptTimeout: nextAddressMs,
      maxHeaderSize: 16_384,
      signal: stop,
    };
    return new Promise((resolve, reject) => {
      const request = url.protocol === "https:" ? httpsRequest(url, options) : httpRequest(url, options);
      let hasStatus = false;
      request.on("error", (error: NodeJS.ErrnoException) => {
        // Node tells a connection's end to the request even when the status has come.
        if (hasStatus) return;
        if (request.reusedSocket && error.code === "ECONNRESET" && !stop.aborted)
          resolve("connection was stale");
        else reject(error);
      });
      request.once("response", (response) => {
        hasStatus = true;
        const { statusCode = 0 } = response;
        const retryAfterMs = readRetryAfter(response.headers["retry-after"], this.#options.clock.now());
        const answered: Unmeasured = {
          kind: "answered",
          status: statusCode,
          ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        };
        void this.#drain(response, limits).then(() => resolve(answered));
      });
      request.end(body);
    });
  }

  /** Resolves when the rest of the answer is read, or was given up with its connection. */
  #drain(response: IncomingMessage, { restMs, answerBytes }: CallLimits): Promise<void> {
    return new Promise((resolve) => {
      let bytes = 0;
      const timer = this.#options.clock.setTimer(() => response.destroy(), restMs);
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > answerBytes) response.destroy();
      });
      // What happens behind the status changes nothing about it.
      response.on("error", () => undefined);
      response.once("close", () => {
        timer.cancel();
        resolve();
      });
    });
  }
}

type Unmeasured =
  | { readonly kind: "answered"; readonly status: number; readonly retryAfterMs?: number }
  | { readonly kind: "failed" | "refused"; readonly detail: string };

interface Outgoing {
  readonly url: URL;
  readonly addresses: readonly string[];
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly stop: AbortSignal;
}

function orFailed(result: Unmeasured | "connection was stale"): Unmeasured {
  return result === "connection was stale"
    ? { kind: "failed", detail: "the connection was reset before a status came" }
    : result;
}

/** Answers every look-up with addresses that were checked, whatever the DNS would say by now. */
function lookUpAmong(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  return (_hostname, { all: wantsAll }, done) => {
    const [first] = all;
    if (wantsAll === true) done(null, all);
    else done(null, first?.address ?? "", first?.family ?? 4);
  };
}

/** Waiting for what cannot be called back ends when the time is up. */
function orStop<T>(work: Promise<T>, stop: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (stop.aborted) reject(stop.reason);
    stop.addEventListener("abort", () => reject(stop.reason), { once: true });
    work.then(resolve, reject);
  });
}
