import {
  type NotificationProblem,
  parseDeviceToken,
  prepareNotification,
  pushTypeRule,
  pushTypes,
} from "@carillon/apns";
import type { App } from "../../apps/index.ts";
import type { NotificationDraft } from "../../delivery/index.ts";
import type { FieldProblem } from "../contract/answers.ts";
import { friendlySchema, limits, type WrittenNotification } from "../contract/notification.ts";
import { writePayload } from "./friendly-payload.ts";
import { parseTimestamp } from "./timestamp.ts";

export type ReadNotification =
  | { readonly kind: "read"; readonly draft: NotificationDraft }
  | { readonly kind: "refused"; readonly problems: readonly FieldProblem[] };

const dayMs = 86_400_000;
const friendlyKeys = Object.keys(friendlySchema.properties) as (keyof typeof friendlySchema.properties)[];

/**
 * Makes a draft of a notification that has the right keys and types. Everything else is checked here and in
 * `prepareNotification`, and all problems are told.
 *
 * @param rawPayload the payload as it stands in the body, for Apple's own form
 * @param at JSON pointer of the notification
 */
export function readNotification(
  written: WrittenNotification,
  rawPayload: Uint8Array | undefined,
  at: string,
  app: App,
  nowMs: number,
): ReadNotification {
  const reader = new NotificationReader(written, at, app, nowMs);
  const draft = reader.read(rawPayload);
  return draft === undefined ? { kind: "refused", problems: reader.problems } : { kind: "read", draft };
}

class NotificationReader {
  readonly problems: FieldProblem[] = [];
  readonly #written: WrittenNotification;
  readonly #at: string;
  readonly #app: App;
  readonly #nowMs: number;

  constructor(written: WrittenNotification, at: string, app: App, nowMs: number) {
    this.#written = written;
    this.#at = at;
    this.#app = app;
    this.#nowMs = nowMs;
  }

  read(rawPayload: Uint8Array | undefined): NotificationDraft | undefined {
    const { lane = "normal", delivery = "at-least-once", reference } = this.#written;
    const deviceTokens = this.#readDeviceTokens();
    const payload = this.#readPayload(rawPayload);
    const environment = this.#readEnvironment();
    const dueAtMs = this.#readSendAt();
    const expirationSeconds = this.#readExpiration(dueAtMs);
    const apnsId = this.#written.apnsId?.toLowerCase();
    if (apnsId !== undefined && deviceTokens.length > 1)
      this.#refuse("/apnsId", "This may name one recipient only. Leave it out: each gets an id of its own.");
    const registeredAtMs = this.#readRegisteredAt();
    const prepared = this.#prepare(payload, expirationSeconds);
    if (this.problems.length > 0 || payload === undefined || prepared === undefined) return undefined;
    const { topic, pushType, priority, collapseId } = prepared;
    return {
      deviceTokens,
      payload: payload.bytes,
      topic,
      lane,
      delivery,
      environment,
      ...(this.#isEnvironmentOpen ? { environmentChoice: "open" } : {}),
      ...(pushType === undefined ? {} : { pushType }),
      ...(priority === undefined ? {} : { priority }),
      ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
      ...(collapseId === undefined ? {} : { collapseId }),
      ...(apnsId === undefined ? {} : { apnsId }),
      ...(reference === undefined ? {} : { reference }),
      ...(dueAtMs === undefined ? {} : { dueAtMs }),
      ...(registeredAtMs === undefined ? {} : { registeredAtMs }),
    };
  }

  #readDeviceTokens(): readonly string[] {
    const { token, tokens } = this.#written.to;
    const given = tokens ?? (token === undefined ? [] : [token]);
    return given.map((text, index) => {
      if (parseDeviceToken(text) === undefined)
        this.#refuse(tokens === undefined ? "/to/token" : `/to/tokens/${index}`, describeBadToken(text));
      return text.toLowerCase();
    });
  }

  #readPayload(raw: Uint8Array | undefined): { value: object; bytes: Uint8Array } | undefined {
    const { payload, data } = this.#written;
    const friendly = friendlyKeys.filter((key) => this.#written[key] !== undefined);
    if (payload === undefined && friendly.length === 0) {
      const cure = 'Give payload, Apple\'s own form, such as {"aps": {"alert": "Hello"}}, or simply alert.';
      this.#refuse("", `This notification says nothing. ${cure}`);
      return undefined;
    }
    if (payload !== undefined) {
      if (friendly.length > 0) {
        const cure = "Give payload, which is sent as it is, or the others, which Carillon makes one of.";
        this.#refuse("/payload", `This stands beside ${friendly.join(", ")}. ${cure}`);
      }
      return { value: payload, bytes: raw ?? Buffer.from(JSON.stringify(payload)) };
    }
    if (data !== undefined && Object.hasOwn(data, "aps")) {
      const cure = "Give it another name, or write the whole payload yourself.";
      this.#refuse("/data/aps", `This key is Apple's and is made of alert, badge and the others. ${cure}`);
    }
    const value = writePayload(this.#written);
    return { value, bytes: Buffer.from(JSON.stringify(value)) };
  }

  /** What Apple asks of a notification is told by the library; here its words get pointers. */
  #prepare(payload: { value: object; bytes: Uint8Array } | undefined, expirationSeconds: number | undefined) {
    const { topic, pushType, priority, collapseId, apnsId } = this.#written;
    const { topic: appTopic, credentials } = this.#app.config;
    const prepared = prepareNotification(
      {
        // Each device token was looked at before.
        deviceToken: "00".repeat(32),
        payload: payload?.bytes ?? "{}",
        ...(topic === undefined ? {} : { topic }),
        ...(pushType === undefined ? {} : { pushType }),
        ...(priority === undefined ? {} : { priority }),
        ...(expirationSeconds === undefined ? {} : { expiration: expirationSeconds }),
        ...(collapseId === undefined ? {} : { collapseId }),
        ...(apnsId === undefined ? {} : { apnsId }),
      },
      {
        topic: appTopic,
        content: payload?.value,
        // Which topics a certificate lists is Apple's to judge.
        sender: credentials.kind === "token" ? { kind: "token" } : { kind: "certificate", topics: [] },
      },
    );
    if (prepared.kind === "refused") {
      for (const problem of prepared.problems) this.#tell(problem);
      return undefined;
    }
    const { notification } = prepared;
    this.#checkSpelling(notification.pushType);
    // The app's topic stands where none was given.
    return { ...notification, topic: notification.topic ?? appTopic };
  }

  #tell({ field, detail, path }: NotificationProblem): void {
    switch (field) {
      case "payload":
        this.#refuse(
          this.#written.payload === undefined ? "" : `/payload${pointerTo(path)}`,
          `The payload ${detail}.`,
        );
        return;
      case "expiration":
        this.#refuse(this.#written.ttl === undefined ? "/expiresAt" : "/ttl", `This ${detail}.`);
        return;
      default:
        this.#refuse(`/${field}`, `This ${detail}.`);
    }
  }

  /** Unknown push types pass: Apple adds one now and then. A known one in another spelling is a slip. */
  #checkSpelling(pushType: string | undefined): void {
    if (pushType === undefined || pushTypeRule(pushType) !== undefined) return;
    const plain = plainForm(pushType);
    const meant = Object.keys(pushTypes).find((known) => known === plain);
    if (meant !== undefined)
      this.#refuse("/pushType", `Apple knows no such push type. Did you mean "${meant}"?`);
  }

  #readEnvironment(): NotificationDraft["environment"] {
    const { environment = this.#app.config.environment } = this.#written;
    if (!this.#app.environments.includes(environment)) {
      const only = this.#app.environments.join(", ");
      this.#refuse(
        "/environment",
        `This app has an endpoint of its own and sends to ${only} only. Leave it out.`,
      );
    }
    return environment;
  }

  /** An environment that is named is meant. */
  get #isEnvironmentOpen(): boolean {
    return this.#written.environment === undefined && this.#app.config.resolveEnvironment === true;
  }

  #readSendAt(): number | undefined {
    const dueAtMs = this.#checkTimestamp("sendAt");
    if (dueAtMs !== undefined && dueAtMs > this.#nowMs + limits.aheadSeconds * 1_000)
      this.#refuse("/sendAt", "This is more than a year ahead. Send it nearer the time.");
    return dueAtMs;
  }

  /** Epoch seconds; 0 means that Apple tries once. */
  #readExpiration(dueAtMs: number | undefined): number | undefined {
    const { ttl } = this.#written;
    const expiresAtMs = this.#checkTimestamp("expiresAt");
    const startMs = Math.max(dueAtMs ?? 0, this.#nowMs);
    if (ttl !== undefined && this.#written.expiresAt !== undefined)
      this.#refuse(
        "/ttl",
        "This stands beside expiresAt, and both say when to stop trying. Keep one of them.",
      );
    if (ttl !== undefined) return ttl === 0 ? 0 : Math.ceil(startMs / 1_000) + ttl;
    if (expiresAtMs === undefined) return undefined;
    if (expiresAtMs <= this.#nowMs)
      this.#refuse(
        "/expiresAt",
        "This time is over, so that nothing would be sent. Name a later one, or leave it out.",
      );
    else if (expiresAtMs <= startMs)
      this.#refuse("/expiresAt", "This is before sendAt, so that nothing would be sent. Name a later time.");
    return Math.floor(expiresAtMs / 1_000);
  }

  /** Clocks differ, and so it may lie ahead by a day. */
  #readRegisteredAt(): number | undefined {
    const registeredAtMs = this.#checkTimestamp("registeredAt");
    if (registeredAtMs === undefined) return undefined;
    if (registeredAtMs > this.#nowMs + dayMs)
      this.#refuse(
        "/registeredAt",
        "This is ahead. Give the time when the app last gave you the device token.",
      );
    else if (registeredAtMs < 0)
      this.#refuse("/registeredAt", "This is before 1970. Leave it out if you do not know the time.");
    return registeredAtMs;
  }

  #checkTimestamp(key: "sendAt" | "expiresAt" | "registeredAt"): number | undefined {
    const text = this.#written[key];
    if (text === undefined) return undefined;
    const ms = parseTimestamp(text);
    if (ms === undefined)
      this.#refuse(
        `/${key}`,
        "This must be a time with its offset, such as 2026-12-01T09:00:00Z or …+01:00.",
      );
    return ms;
  }

  #refuse(pointer: string, detail: string): void {
    this.problems.push({ pointer: `${this.#at}${pointer}`, detail });
  }
}

/** Holds nothing of the device token itself. */
function describeBadToken(text: string): string {
  const cure = "Send the bytes that the app got as hex digits, 2 for each byte.";
  if (text === "") return `This device token is empty. ${cure}`;
  const other = [...text].findIndex((letter) => !/[0-9a-fA-F]/.test(letter));
  if (other !== -1) return `Character ${other + 1} of this device token is no hex digit (0-9, a-f). ${cure}`;
  if (text.length % 2 === 1) return `This device token has ${text.length} hex digits, an odd number. ${cure}`;
  return `This device token has ${text.length} hex digits; 8 to 200 are possible, and 64 are usual. ${cure}`;
}

/** `aps.badge` as the end of a JSON pointer; none of Apple's keys needs escaping. */
function pointerTo(path: string | undefined): string {
  return path === undefined ? "" : `/${path.replaceAll(".", "/")}`;
}

function plainForm(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z]/g, "");
}
