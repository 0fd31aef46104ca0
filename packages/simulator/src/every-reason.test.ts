/** Every reason of the table, each by an honest request over the wire; none needs a scenario. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadProviderKey, type RejectionReason, rejectionReasons, signProviderToken } from "@carillon/apns";
import { afterEach, expect, test } from "vitest";
import {
  type IssuedCertificate,
  issueAuthority,
  issuePushCertificate,
} from "./credentials/certificate-issuer.ts";
import { type Simulator, startSimulator, type TokenCredentials } from "./simulator.ts";
import type { SimulatorOptions } from "./simulator-options.ts";
import { VirtualClock } from "./virtual-clock.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const app = "com.example.demo";
const deviceToken = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";
const nobodysChannel = "dHN0LXNyY2gtY2hubA==";

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly fields?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body?: string;
}

interface Producer {
  /** Switches that it takes. */
  readonly options?: SimulatorOptions;
  /** What is so before; what it gives goes over what is asked. */
  readonly before?: (simulator: Simulator) => Asked | undefined;
  /** Requests on one connection before it. */
  readonly earlier?: readonly Asked[];
  readonly between?: (clock: VirtualClock) => void;
  readonly asked?: Asked;
  /** Instead of a provider token. */
  readonly certificate?: (simulator: Simulator) => { readonly cert: string; readonly key: string };
  /** It comes as debug data of a GOAWAY. */
  readonly by?: "goaway";
}

const fields = (more: Asked["fields"] & object, rest: Asked = {}): Producer => ({
  asked: { ...rest, fields: more },
});
const bearer = ({ key, keyId, teamId }: TokenCredentials, ageSeconds = 0): string => {
  const issuedAtSeconds = Math.floor(Date.now() / 1000) - ageSeconds;
  return `bearer ${signProviderToken(loadProviderKey(key), { keyId, teamId, issuedAtSeconds })}`;
};
const authorization = (text: string): Asked => ({ fields: { authorization: text } });

const broadcast = (channelId?: string, expiration = "0"): Asked => ({
  path: `/4/broadcasts/apps/${app}`,
  fields: { "apns-channel-id": channelId, "apns-push-type": "liveactivity", "apns-expiration": expiration },
});
const channel = (method: string, more: Asked = {}): Asked => ({
  ...{ method, path: `/1/apps/${app}/channels`, body: "" },
  ...more,
});
const create = (description: object): Asked => channel("POST", { body: JSON.stringify(description) });

function certificate(environment: "sandbox" | "production", authority: IssuedCertificate) {
  const topics = [[app, "app"]] as const;
  const about = { topic: app, teamId: "DEF123GHIJ", environments: [environment], topics };
  return issuePushCertificate(authority, about, Date.now());
}

/** The simulator's own authority, as its folder has it. */
function authorityIn(dir: string): IssuedCertificate {
  const read = (file: string): string => readFileSync(join(dir, file), "utf8");
  return { cert: read("ca.pem"), key: read("ca-key.pem") };
}

/** The type holds the table and Apple's list of reasons together. */
const producers: Readonly<Record<RejectionReason, Producer>> = {
  BadChannelId: { asked: broadcast(nobodysChannel) },
  BadCollapseId: fields({ "apns-collapse-id": "x".repeat(65) }),
  // Apple's pages do not have it; one client's table does, for broadcasts.
  BadDate: {
    options: { assumptions: { broadcastExpiration: "BadDate" } },
    asked: broadcast(nobodysChannel, "soon"),
  },
  BadDeviceToken: { asked: { path: "/3/device/nothex" } },
  BadExpirationDate: fields({ "apns-expiration": "soon" }),
  BadMessageId: fields({ "apns-id": "1" }),
  BadPriority: fields({ "apns-priority": "7" }),
  BadRequestParams: { asked: channel("GET", { path: `/1/apps/${app}/all-channels?limit=1` }) },
  BadRequestPayload: { asked: channel("POST", { body: "junk" }) },
  BadTopic: fields({ "apns-topic": "not a topic" }),
  BroadcastFeatureNotEnabled: {
    before: ({ channels }) => void channels.setCapability(app, "off"),
    asked: broadcast(nobodysChannel),
  },
  CannotCreateChannelConfig: {
    before: ({ channels }) => {
      while (channels.hasRoom(app)) channels.create(app, "none");
      return undefined;
    },
    asked: create({ "message-storage-policy": 1, "push-type": "LiveActivity" }),
  },
  ChannelNotRegistered: {
    before: ({ channels }) => {
      const { channelId } = channels.create(app, "none");
      channels.delete(app, channelId);
      return broadcast(channelId);
    },
  },
  DeviceTokenNotForTopic: {
    before: ({ devices }) => void devices.describe(deviceToken, { topic: "com.example.other" }),
  },
  DuplicateHeaders: fields({ "apns-priority": ["10", "5"] }),
  FeatureNotEnabled: {
    options: { assumptions: { broadcastCapability: "FeatureNotEnabled" } },
    before: ({ channels }) => void channels.setCapability(app, "off"),
    asked: broadcast(nobodysChannel),
  },
  IdleTimeout: {
    options: { assumptions: { idleTimeoutMs: 60_000, idleTimeoutBy: "answer" } },
    earlier: [{}],
    between: (clock) => clock.advance(60_001),
  },
  InvalidPushType: fields({ "apns-push-type": "shout" }),
  MissingChannelId: { asked: broadcast() },
  MissingChannelQueueSize: { asked: create({ "push-type": "LiveActivity" }) },
  MissingDeviceToken: { asked: { path: "/3/device/" } },
  MissingPushType: { options: { judgement: "strict" }, ...fields({ "apns-push-type": undefined }) },
  MissingTopic: fields({ "apns-topic": undefined }),
  PayloadEmpty: { asked: { body: "" } },
  TopicDisallowed: {
    before: (simulator) => authorization(bearer(simulator.issueKey({ topics: ["com.example.other"] }))),
  },
  BadCertificate: { certificate: () => certificate("sandbox", issueAuthority(Date.now())) },
  BadCertificateEnvironment: { options: { environment: "sandbox" }, by: "goaway" },
  BadEnvironmentKeyIdInToken: {
    options: { assumptions: { environmentKey: "BadEnvironmentKeyIdInToken" } },
    before: (simulator) => authorization(bearer(simulator.issueKey({ environment: "production" }))),
  },
  BadEnvironmentKeyInToken: {
    before: (simulator) => authorization(bearer(simulator.issueKey({ environment: "production" }))),
  },
  ExpiredProviderToken: {
    before: ({ credentials }) => authorization(bearer(credentials.token, 3700)),
  },
  // Apple names no request for it ("the specified action is not allowed"): strict judgement gives it to this one.
  Forbidden: {
    options: { judgement: "strict" },
    ...fields({ "apns-push-type": "mdm" }, { body: '{"mdm":"magic"}' }),
  },
  InvalidProviderToken: fields({ authorization: "bearer x" }),
  MissingProviderToken: fields({ authorization: undefined }),
  TopicMismatch: {
    certificate: ({ credentials }) => credentials.certificate,
    asked: channel("GET", { path: "/1/apps/com.example.other/all-channels" }),
  },
  UnrelatedKeyIdInToken: {
    earlier: [{}],
    before: (simulator) => authorization(bearer(simulator.issueKey())),
  },
  BadPath: { asked: { path: "/3/devices/aabbccdd" } },
  MethodNotAllowed: { asked: { method: "GET", body: "" } },
  ExpiredToken: {
    before: ({ devices }) => void devices.unregister(deviceToken, 1_700_000_000_000, "ExpiredToken"),
  },
  Unregistered: { before: ({ devices }) => void devices.unregister(deviceToken) },
  PayloadTooLarge: { asked: { body: "x".repeat(4097) } },
  TooManyProviderTokenUpdates: {
    earlier: [{}],
    before: ({ credentials }) => authorization(bearer(credentials.token, 60)),
  },
  TooManyRequests: {
    before: ({ devices }) => void devices.describe(deviceToken, { pace: { most: 0, withinMs: 1000 } }),
  },
  // As was seen in 2016 and 2017.
  InternalServerError: {
    options: { assumptions: { expiredWhileIdle: "InternalServerError" } },
    earlier: [{}],
    between: (clock) => clock.advance(3_600_001),
  },
  ServiceUnavailable: {
    options: { capacity: { most: 1, withinMs: 1000 } },
    earlier: [{}],
  },
  Shutdown: {
    earlier: [{}],
    before: (simulator) => void simulator.announceShutdown(),
  },
};

function open(simulator: Simulator, identity: object) {
  const session = connect(simulator.endpoint, { ca: simulator.ca, ...identity });
  session.on("error", () => {});
  closers.push(() => session.destroy());
  const send = (usual: Asked["fields"], asked: Asked): Promise<{ status: unknown; body: string }> =>
    new Promise((resolve, reject) => {
      const all = Object.entries({ ...usual, ...asked.fields }).filter(([, value]) => value !== undefined);
      const { method = "POST", path = `/3/device/${deviceToken}`, body = '{"aps":{"alert":"a"}}' } = asked;
      const list = { ":method": method, ":path": path, ...Object.fromEntries(all) } as Record<string, string>;
      const stream = session.request(list, { endStream: false });
      let status: unknown;
      let text = "";
      stream.on("response", (headers) => {
        status = headers[":status"];
      });
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      stream.on("end", () => resolve({ status, body: text }));
      stream.on("error", reject);
      stream.end(body);
    });
  return { session, send };
}

test.each(Object.entries(producers) as [RejectionReason, Producer][])("%s", async (reason, producer) => {
  const { options = {}, before, earlier = [], between, asked = {}, by } = producer;
  const clock = new VirtualClock();
  const dir = mkdtempSync(join(tmpdir(), "carillon-reasons-"));
  closers.push(() => rmSync(dir, { recursive: true }));
  const simulator = await startSimulator({ clock, dir, ...options });
  closers.push(() => simulator.close());
  const usual = {
    authorization: bearer(simulator.credentials.token),
    "apns-topic": app,
    "apns-push-type": "alert",
  };
  if (by === "goaway") {
    const production = certificate("production", authorityIn(dir));
    const { session } = open(simulator, production);
    const debug = new Promise((resolve) => session.on("goaway", (_, __, data) => resolve(String(data))));
    expect(await debug).toBe(JSON.stringify({ reason }));
    return;
  }
  const { send } = open(simulator, producer.certificate?.(simulator) ?? {});
  for (const each of earlier) expect((await send(usual, each)).status).toBe(200);
  const more = before?.(simulator) ?? {};
  between?.(clock);
  const { status, body } = await send(usual, { ...asked, ...more });
  expect({ status, reason: JSON.parse(body).reason }).toEqual({
    status: rejectionReasons[reason].status,
    reason,
  });
});
