import { loadProviderKey, type RejectionReason, signProviderToken } from "@carillon/apns";
import { describe, expect, test } from "vitest";
import { makeProviderKey } from "../credentials/index.ts";
import {
  type Assumptions,
  ProviderTokenSession,
  ProviderTokens,
  type Sender,
  strictAssumptions,
  usualAssumptions,
} from "../verdict/index.ts";
import { readChannelRequest } from "./channel-request.ts";
import type { ChannelCourt } from "./channel-rules.ts";
import { Channels } from "./channels.ts";
import { carryOut, judgeChannelRequest, writeChannelAnswer } from "./judge-channel-request.ts";

const app = "com.example.demo";
const nowMs = 1_800_000_000_000;
const key = makeProviderKey();
const requestId = "eabeae54-14a8-11e5-b60b-1697f925ec7b";

const bearer = (issuedAtMs = nowMs): string =>
  `bearer ${signProviderToken(loadProviderKey(key.key), { ...key, issuedAtSeconds: issuedAtMs / 1000 })}`;

/** A service with one channel of each kind and one that was deleted. */
function serve(assumptions: Partial<Assumptions> = {}) {
  const channels = new Channels(() => nowMs);
  const storing = channels.create(app, "most-recent").channelId;
  const passing = channels.create(app, "none").channelId;
  const deleted = channels.create(app, "none").channelId;
  channels.delete(app, deleted);
  const court: ChannelCourt = {
    nowMs,
    environment: "sandbox",
    assumptions: { ...usualAssumptions, ...assumptions },
    channels,
    port: "push",
    serviceRefusal: undefined,
    idleMs: 0,
  };
  return { channels, court, storing, passing, deleted };
}

const tokens = new ProviderTokens([key]);
const bySession = (): Sender => ({ kind: "token", session: new ProviderTokenSession(tokens) });
const certificateFor = (topic: string): Sender => ({
  kind: "certificate",
  certificate: {
    mainTopic: topic,
    topics: [topic],
    environments: ["sandbox"],
  } as unknown as (Sender & { kind: "certificate" })["certificate"],
});

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly fields?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | object;
  readonly sender?: Sender;
}

function ask(court: ChannelCourt, asked: Asked) {
  const { method = "POST", path = `/1/apps/${app}/channels`, sender = bySession() } = asked;
  const fields = [":method", method, ":path", path];
  const all = { authorization: bearer(), "apns-request-id": requestId, ...asked.fields };
  for (const [name, value] of Object.entries(all)) if (value !== undefined) fields.push(name, value);
  const text = typeof asked.body === "object" ? JSON.stringify(asked.body) : (asked.body ?? "");
  const body = Buffer.from(text);
  const request = readChannelRequest({ streamId: 1, fields, body, bodyBytes: body.length });
  const verdict = judgeChannelRequest(request, sender, court);
  const answer = writeChannelAnswer(request, verdict, court);
  if (answer.status < 300) carryOut(request, verdict, court);
  return {
    status: answer.status,
    reason: answer.reason,
    fields: Object.fromEntries(
      answer.fields.flatMap((name, at) => (at % 2 === 0 ? [[name, answer.fields[at + 1]]] : [])),
    ),
    body: answer.body === undefined ? undefined : JSON.parse(answer.body.toString()),
  };
}

const description = { "message-storage-policy": 1, "push-type": "LiveActivity" };
const broadcastPath = `/4/broadcasts/apps/${app}`;
const update = { aps: { timestamp: 1, event: "update", "content-state": {} } };
const broadcastFields = { "apns-push-type": "liveactivity", "apns-expiration": "0", "apns-priority": "10" };

describe("what is right", () => {
  test.each([
    ["LiveActivity", 1],
    ["liveactivity", 0],
  ])("a channel with the push type %s and the policy %d comes to be", (pushType, policy) => {
    const { court, channels } = serve();
    const body = { "message-storage-policy": policy, "push-type": pushType };
    const created = ask(court, { body });
    expect(created).toMatchObject({ status: 201, body: undefined });
    expect(created.fields["apns-request-id"]).toBe(requestId);
    const channelId = created.fields["apns-channel-id"] ?? "";
    expect(channels.find(app, channelId)?.storage).toBe(policy === 1 ? "most-recent" : "none");
    const read = ask(court, { method: "GET", fields: { "apns-channel-id": channelId } });
    expect(read).toMatchObject({
      status: 200,
      body: { "message-storage-policy": policy, "push-type": "LiveActivity" },
    });
  });

  test("channels are listed and deleted", () => {
    const { court, storing, passing } = serve();
    const list = () => ask(court, { method: "GET", path: `/1/apps/${app}/all-channels` });
    expect(list()).toMatchObject({ status: 200, body: { channels: [storing, passing] } });
    const gone = ask(court, { method: "DELETE", fields: { "apns-channel-id": storing } });
    expect(gone).toMatchObject({ status: 204, body: undefined });
    expect(list().body).toEqual({ channels: [passing] });
  });

  test("a broadcast is accepted, and stored where the channel stores", () => {
    const { court, channels, storing } = serve();
    const expiration = String(nowMs / 1000 + 60);
    const fields = { ...broadcastFields, "apns-expiration": expiration, "apns-channel-id": storing };
    const sent = ask(court, { path: broadcastPath, fields, body: update });
    expect(sent).toEqual({
      status: 200,
      reason: undefined,
      fields: { ":status": "200", "apns-request-id": requestId },
      body: undefined,
    });
    expect(channels.find(app, storing)).toMatchObject({ broadcasts: 1, stored: { requestId } });
  });

  test("a request id is made where none came, in upper case", () => {
    const { court } = serve();
    const listed = ask(court, {
      method: "GET",
      path: `/1/apps/${app}/all-channels`,
      fields: { "apns-request-id": undefined },
    });
    expect(listed.fields["apns-request-id"]).toMatch(/^[0-9A-F-]{36}$/);
  });

  test("a certificate manages the channels of its app", () => {
    const { court } = serve();
    const sender = certificateFor(app);
    expect(ask(court, { sender, fields: { authorization: undefined }, body: description }).status).toBe(201);
  });
});

type Ids = Pick<ReturnType<typeof serve>, "storing" | "passing" | "deleted">;

const toChannel = (
  channelId: string | undefined,
  fields: object = {},
  body: Asked["body"] = update,
): Asked => ({
  path: broadcastPath,
  fields: { ...broadcastFields, "apns-channel-id": channelId, ...fields },
  body,
});

type Refused = [
  reason: RejectionReason,
  status: number,
  asked: (ids: Ids) => Asked,
  assumptions?: Partial<Assumptions>,
];

/** An honest request for every reason of `apns-protocol` §5.3 that is about the request. */
const refusals: readonly Refused[] = [
  ["MethodNotAllowed", 405, () => ({ method: "PUT" })],
  ["MethodNotAllowed", 405, () => ({ method: "GET", path: broadcastPath })],
  ["MethodNotAllowed", 405, () => ({ path: `/1/apps/${app}/all-channels` })],
  ["MissingProviderToken", 403, () => ({ fields: { authorization: undefined } })],
  ["InvalidProviderToken", 403, () => ({ fields: { authorization: "bearer x" } })],
  ["ExpiredProviderToken", 403, () => ({ fields: { authorization: bearer(nowMs - 3_601_000) } })],
  ["BadCertificate", 403, () => ({ sender: { kind: "bad-certificate" } })],
  ["TopicMismatch", 403, () => ({ sender: certificateFor("com.example.other"), body: description })],
  ["BadPath", 404, () => ({ path: `/1/apps/${app}/channel` })],
  ["BadPath", 404, () => ({ path: `/1/apps/${app}/x/channels` })],
  ["BadRequestParams", 400, () => ({ method: "GET", path: `/1/apps/${app}/all-channels?limit=1` })],
  ["BadMessageId", 400, () => ({ fields: { "apns-request-id": "1" }, body: description })],
  ["PayloadEmpty", 400, () => ({})],
  ["PayloadTooLarge", 413, () => ({ body: { ...description, x: "x".repeat(5120) } })],
  ["BadRequestPayload", 400, () => ({ body: "[]" })],
  ["MissingPushType", 400, () => ({ body: { "message-storage-policy": 1 } })],
  ["InvalidPushType", 400, () => ({ body: { ...description, "push-type": "alert" } })],
  ["MissingChannelQueueSize", 400, () => ({ body: { "push-type": "LiveActivity" } })],
  ["MissingChannelQueueSize", 400, () => ({ body: { ...description, "message-storage-policy": 2 } })],
  ["MissingChannelId", 400, () => ({ method: "GET" })],
  ["MissingChannelId", 400, () => toChannel(undefined)],
  ["BadChannelId", 400, () => ({ method: "DELETE", fields: { "apns-channel-id": "not base64!" } })],
  ["BadChannelId", 400, () => toChannel("dHN0LXNyY2gtY2hubA==")],
  ["BadPath", 404, () => ({ method: "DELETE", fields: { "apns-channel-id": "dHN0LXNyY2gtY2hubA==" } })],
  ["BadPath", 404, ({ deleted }) => ({ method: "GET", fields: { "apns-channel-id": deleted } })],
  ["ChannelNotRegistered", 400, ({ deleted }) => toChannel(deleted)],
  ["MissingPushType", 400, ({ storing }) => toChannel(storing, { "apns-push-type": undefined })],
  ["InvalidPushType", 400, ({ storing }) => toChannel(storing, { "apns-push-type": "alert" })],
  ["BadExpirationDate", 400, ({ storing }) => toChannel(storing, { "apns-expiration": undefined })],
  ["BadExpirationDate", 400, ({ storing }) => toChannel(storing, { "apns-expiration": "soon" })],
  ["BadExpirationDate", 400, ({ passing }) => toChannel(passing, { "apns-expiration": "1800000060" })],
  ["BadPriority", 400, ({ storing }) => toChannel(storing, { "apns-priority": "1" })],
  ["PayloadEmpty", 400, ({ storing }) => toChannel(storing, {}, "")],
  ["PayloadTooLarge", 413, ({ storing }) => toChannel(storing, {}, "x".repeat(5121))],
  ["BadRequestPayload", 400, ({ storing }) => toChannel(storing, {}, "junk"), strictAssumptions],
  [
    "BadRequestPayload",
    400,
    ({ storing }) => toChannel(storing, {}, { aps: { ...begin, event: "start" } }),
    { ...strictAssumptions },
  ],
];

const begin = { timestamp: 1, "content-state": {}, "attributes-type": "A", attributes: {}, alert: "a" };

describe("what is wrong", () => {
  test.each(refusals)("gets %s, %d: case %#", (reason, status, asked, assumptions) => {
    const { court, channels, ...ids } = serve(assumptions);
    const before = channels.all;
    const refused = ask(court, asked(ids));
    expect(refused).toMatchObject({ status, reason, body: { reason } });
    const id = refused.fields["apns-request-id"];
    expect(id).toMatch(reason === "BadMessageId" ? /^[0-9A-F-]{36}$/ : new RegExp(requestId));
    expect(channels.all).toEqual(before);
  });

  test("a channel too many gets CannotCreateChannelConfig", () => {
    const { court, channels } = serve();
    while (channels.hasRoom(app)) channels.create(app, "none");
    expect(ask(court, { body: description })).toMatchObject({
      status: 400,
      reason: "CannotCreateChannelConfig",
    });
  });

  test("a key for other topics gets TopicDisallowed", () => {
    const scoped = { ...makeProviderKey(), topics: ["com.example.other"] };
    const session = new ProviderTokenSession(new ProviderTokens([scoped]));
    const claims = { ...scoped, issuedAtSeconds: nowMs / 1000 };
    const authorization = `bearer ${signProviderToken(loadProviderKey(scoped.key), claims)}`;
    const refused = ask(serve().court, { sender: { kind: "token", session }, fields: { authorization } });
    expect(refused).toMatchObject({ status: 400, reason: "TopicDisallowed" });
  });

  test("a provider token that changes too soon gets TooManyProviderTokenUpdates", () => {
    const { court } = serve();
    const sender = bySession();
    expect(ask(court, { sender, body: description }).status).toBe(201);
    const fields = { authorization: bearer(nowMs - 1000) };
    expect(ask(court, { sender, fields })).toMatchObject({ reason: "TooManyProviderTokenUpdates" });
  });

  test.each(["BroadcastFeatureNotEnabled", "FeatureNotEnabled"] as const)(
    "an app without the capability gets %s, as it is assumed to be spelt",
    (broadcastCapability) => {
      const { court, channels } = serve({ broadcastCapability });
      channels.setCapability(app, "off");
      expect(ask(court, { body: description })).toMatchObject({ status: 400, reason: broadcastCapability });
    },
  );
});

describe("where it is taken", () => {
  const outcome = (port: "push" | "channels", assumptions: Partial<Assumptions>, path?: string) => {
    const { court, storing } = serve(assumptions);
    const asked = path === undefined ? { body: description } : toChannel(storing);
    return ask({ ...court, port }, asked).status;
  };

  test("channels are managed on every port, or on their own alone", () => {
    expect([outcome("push", {}), outcome("channels", {})]).toEqual([201, 201]);
    const own = { channelsManagedAt: "channels-port" } as const;
    expect([outcome("push", own), outcome("channels", own)]).toEqual([404, 201]);
  });

  test.each([
    ["every-port", 200, 200],
    ["push-port", 200, 404],
    ["channels-port", 404, 200],
  ] as const)("broadcasts at %s: %d on the push port, %d on the channels' own", (broadcastsAt, push, own) => {
    const statuses = (["push", "channels"] as const).map((port) =>
      outcome(port, { broadcastsAt }, broadcastPath),
    );
    expect(statuses).toEqual([push, own]);
  });
});
