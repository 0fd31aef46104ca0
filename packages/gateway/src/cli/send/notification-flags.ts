import {
  type Notification,
  type NotificationProblem,
  type Priority,
  prepareNotification,
  type Sender,
} from "@carillon/apns";
import type { ReadFlagFile, Refuse } from "../flag-files.ts";
import { readNumber } from "../number-text.ts";
import type { SendFlags } from "./send-flags.ts";

/** The payload twice: to be looked into, and as it goes out. */
interface Payload {
  readonly content: object;
  readonly sent: object | string;
}

const mostBadge = 2_147_483_647;
/** A year, as far as anybody needs. */
const mostTtlSeconds = 366 * 86_400;

/** Which flag is meant by a problem of a notification. */
const flagOf: Readonly<Record<keyof Notification, `--${string}`>> = {
  deviceToken: "--to",
  payload: "--payload",
  topic: "--topic",
  pushType: "--push-type",
  priority: "--priority",
  expiration: "--ttl",
  collapseId: "--collapse-id",
  apnsId: "--to",
  delivery: "--to",
};

export interface NotificationSource {
  readonly flags: SendFlags;
  readonly nowMs: number;
  /** What the notifications are sent with; undefined while that is not known. */
  readonly sender?: Sender;
  /** For notifications that name no topic. */
  readonly mainTopic?: string;
}

/** One notification for each `--to`, checked and complete; an empty list after any refusal. */
export async function readNotificationFlags(
  { flags, nowMs, sender, mainTopic }: NotificationSource,
  readFile: ReadFlagFile,
  refuse: Refuse,
): Promise<readonly Notification[]> {
  if (flags.to === undefined)
    refuse("--to", "is missing. Name the device token, 64 hexadecimal digits as a rule.");
  const payload = await readPayload(flags, readFile, refuse);
  const priority = readNumber(flags.priority, { least: 1, most: 10 }, (detail) =>
    refuse("--priority", detail),
  );
  const ttl = readNumber(flags.ttl, { least: 0, most: mostTtlSeconds }, (detail) => refuse("--ttl", detail));
  const { pushType, topic, collapseId } = flags;
  const common = {
    ...(pushType === undefined ? {} : { pushType }),
    // A topic that came alone tells the push type by its suffix; beside a push type it gets that one's suffix.
    ...(topic === undefined || pushType !== undefined ? {} : { topic }),
    ...(priority === undefined ? {} : { priority: priority as Priority }),
    // 0 means one attempt and no storing, to Apple as here.
    ...(ttl === undefined ? {} : { expiration: ttl === 0 ? 0 : Math.floor(nowMs / 1000) + ttl }),
    ...(collapseId === undefined ? {} : { collapseId }),
  };
  const told = new Set<string>();
  const refuseOnce = (flag: `--${string}`, detail: string): void => {
    if (!told.has(`${flag} ${detail}`)) refuse(flag, detail);
    told.add(`${flag} ${detail}`);
  };
  return (flags.to ?? []).flatMap((deviceToken) => {
    const draft = { deviceToken, payload: payload?.content ?? {}, ...common };
    const prepared = prepareNotification(draft, { topic: topic ?? mainTopic });
    if (prepared.kind === "refused") {
      tell(prepared.problems, flags, deviceToken, refuseOnce);
      return [];
    }
    if (payload === undefined) return [];
    const derived = prepared.notification;
    const final = {
      ...draft,
      payload: payload.sent,
      ...(derived.topic === undefined ? {} : { topic: derived.topic }),
      ...(derived.pushType === undefined ? {} : { pushType: derived.pushType }),
      ...(derived.priority === undefined ? {} : { priority: derived.priority }),
    };
    const checked = prepareNotification(final, { sender, content: payload.content });
    if (checked.kind === "refused") tell(checked.problems, flags, deviceToken, refuseOnce);
    return [final];
  });
}

function tell(
  problems: readonly NotificationProblem[],
  flags: SendFlags,
  deviceToken: string,
  refuse: Refuse,
): void {
  for (const { field, detail } of problems) {
    const flag = field === "payload" && flags.payload === undefined ? "--alert" : flagOf[field];
    // Enough of it to know which one is meant, and no more.
    const which = field === "deviceToken" ? ` (${JSON.stringify(deviceToken.slice(0, 8))}…)` : "";
    refuse(flag, `${which.trimStart()}${which === "" ? "" : " "}${detail}.`);
  }
}

async function readPayload(
  flags: SendFlags,
  readFile: ReadFlagFile,
  refuse: Refuse,
): Promise<Payload | undefined> {
  const { alert, title, badge, sound, payload } = flags;
  const friendly = Object.entries({ alert, title, badge, sound }).filter(([, value]) => value !== undefined);
  if (payload !== undefined) {
    const excluded = friendly.map(([name]) => `--${name}`).join(", ");
    if (excluded !== "") refuse("--payload", `excludes ${excluded}: write them into the payload's aps.`);
    const input = await readFile(payload);
    if (input.kind === "read") return parsePayload(input.bytes, refuse);
    refuse("--payload", `(${payload === "-" ? "standard input" : payload}) ${input.detail}`);
    return undefined;
  }
  const count = readNumber(badge, { least: 0, most: mostBadge }, (detail) => refuse("--badge", detail));
  if (friendly.length === 0) {
    refuse(
      "--alert",
      'is missing. Say what to send: --alert "Hello", or --payload FILE (- reads standard input).',
    );
    return undefined;
  }
  const content = {
    aps: {
      ...(title === undefined ? (alert === undefined ? {} : { alert }) : { alert: { title, body: alert } }),
      ...(count === undefined ? {} : { badge: count }),
      ...(sound === undefined ? {} : { sound }),
    },
  };
  return { content, sent: content };
}

function parsePayload(bytes: Buffer, refuse: Refuse): Payload | undefined {
  const sent = bytes
    .toString("utf8")
    .replace(/^\uFEFF/, "")
    .trim();
  if (sent === "") {
    refuse("--payload", 'is empty. Apple\'s form is {"aps": {"alert": "Hello"}}.');
    return undefined;
  }
  try {
    const content: unknown = JSON.parse(sent);
    if (typeof content === "object" && content !== null && !Array.isArray(content)) return { content, sent };
    refuse("--payload", 'must be a JSON object such as {"aps": {"alert": "Hello"}}.');
  } catch (error) {
    refuse("--payload", `is not JSON: ${(error as Error).message}.`);
  }
  return undefined;
}
