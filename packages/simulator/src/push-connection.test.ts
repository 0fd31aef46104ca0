import { loadProviderKey, signProviderToken } from "@carillon/apns";
import { frameType } from "@carillon/apns/http2";
import { afterEach, expect, test } from "vitest";
import { FeedbackList } from "./binary/index.ts";
import { Channels } from "./channels/index.ts";
import { Connections } from "./connections/index.ts";
import { issueAuthority, issuePushCertificate } from "./credentials/certificate-issuer.ts";
import { completeCredentials } from "./credentials/index.ts";
import { Devices } from "./devices/index.ts";
import { History } from "./history/index.ts";
import { Http2Speaker } from "./http2/index.ts";
import { PushConnection } from "./push-connection.ts";
import type { PushService } from "./push-service.ts";
import { RawSender, type RawSenderOptions, streamLimitIn } from "./raw-sender.test-support.ts";
import { ServiceState } from "./service-state.ts";
import { type Assumptions, ProviderTokens, usualAssumptions } from "./verdict/index.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { TlsListener } from "./wire/index.ts";

const { credentials } = completeCredentials({}, "com.example.demo", Date.now());
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A listener with push connections whose clock stands until it is moved. */
async function serve(
  environment: "sandbox" | "production" = "sandbox",
  assumptions: Partial<Assumptions> = {},
) {
  const clock = new VirtualClock();
  const service: PushService = {
    environment,
    assumptions: { ...usualAssumptions, ...assumptions },
    history: new History(),
    devices: new Devices(() => clock.now()),
    channels: new Channels(() => clock.now()),
    feedback: new FeedbackList(),
    connections: new Connections(),
    providerTokens: new ProviderTokens([credentials.providerKey]),
    clock,
    state: new ServiceState(clock),
    scenario: { run: undefined },
  };
  const listener = await TlsListener.listen({
    host: "127.0.0.1",
    port: 0,
    ...credentials.server,
    clientCa: credentials.authority.cert,
    accept: (client) => new Http2Speaker(new PushConnection(service, client)),
  });
  closers.push(() => listener.close(Buffer.alloc(0)));
  const open = async (options: Partial<RawSenderOptions> = {}): Promise<RawSender> => {
    const sender = await RawSender.open({ port: listener.port, ca: credentials.authority.cert, ...options });
    closers.push(() => sender.destroy());
    return sender;
  };
  return { clock, service, open };
}

function bearer(issuedAtMs = Date.now()): string {
  const { key, keyId, teamId } = credentials.providerKey;
  const claims = { keyId, teamId, issuedAtSeconds: Math.floor(issuedAtMs / 1000) };
  return `bearer ${signProviderToken(loadProviderKey(key), claims)}`;
}

function clientCertificate(
  environments: readonly ("sandbox" | "production")[],
  authority = credentials.authority,
): { cert: string; key: string } {
  const topics = [["com.example.demo", "app"]] as const;
  return issuePushCertificate(
    authority,
    { topic: "com.example.demo", teamId: "DEF123GHIJ", environments, topics },
    Date.now(),
  );
}

const settingsOf = (sender: RawSender) =>
  sender
    .ofType(frameType.settings)
    .map(streamLimitIn)
    .filter((limit) => limit !== undefined);
const answersOf = (sender: RawSender) => sender.ofType(frameType.headers);

test("a token connection has one stream until a valid token came, then a thousand", async () => {
  const { open } = await serve();
  const sender = await open();
  sender.push([1], { authorization: "bearer x" });
  await sender.until(() => answersOf(sender).length === 1);
  expect(settingsOf(sender)).toEqual([1]);
  const authorization = bearer();
  sender.push([3, 5], { authorization });
  await sender.until(() => settingsOf(sender).length === 2);
  expect(settingsOf(sender)).toEqual([1, 1000]);
  expect(sender.ofType(frameType.rstStream).map(({ streamId, payload }) => [streamId, payload[3]])).toEqual([
    [5, 7],
  ]);
  sender.push([7, 9, 11], { authorization });
  await sender.until(() => answersOf(sender).length === 5);
  expect(answersOf(sender).map((frame) => sender.fieldsOf(frame)[":status"])).toEqual([
    "403",
    ...new Array(4).fill("200"),
  ]);
  expect(settingsOf(sender)).toHaveLength(2);
});

test("a certificate has its thousand streams at once, and needs no topic when it has one", async () => {
  const { open, service } = await serve();
  const sender = await open(clientCertificate(["sandbox"]));
  sender.push([1, 3, 5]);
  await sender.until(() => answersOf(sender).length === 3);
  expect(settingsOf(sender)).toEqual([1000]);
  expect(service.history.count({ status: 200, topic: "com.example.demo" })).toBe(3);
});

test("a certificate of the other environment gets Apple's GOAWAY, byte by byte, and no answer", async () => {
  const { open, service } = await serve("production");
  const sender = await open(clientCertificate(["sandbox"]));
  sender.push([1]);
  await sender.untilClosed();
  const [goaway, ...more] = sender.ofType(frameType.goaway);
  expect(more).toEqual([]);
  expect(goaway?.payload).toHaveLength(46);
  expect(goaway?.payload.toString("latin1")).toBe(`${"\0".repeat(8)}{"reason":"BadCertificateEnvironment"}`);
  expect(answersOf(sender)).toEqual([]);
  expect(service.history.total).toBe(0);
});

test("a certificate that names no environment is not bound to one", async () => {
  const { open } = await serve("production");
  const sender = await open(clientCertificate([]));
  sender.push([1]);
  await sender.until(() => answersOf(sender).length === 1);
  expect(sender.fieldsOf(answersOf(sender)[0])[":status"]).toBe("200");
});

test.each<[string, { cert: string; key: string }]>([
  ["another authority's", clientCertificate(["sandbox"], issueAuthority(Date.now()))],
  ["one that is not for pushing", credentials.server],
])("a bad certificate is answered with BadCertificate: %s", async (_, certificate) => {
  const { open } = await serve();
  const sender = await open(certificate);
  sender.push([1], { authorization: bearer() });
  await sender.until(() => sender.ofType(frameType.data).length === 1);
  expect(sender.fieldsOf(answersOf(sender)[0])[":status"]).toBe("403");
  expect(sender.ofType(frameType.data)[0]?.payload.toString()).toBe('{"reason":"BadCertificate"}');
});

test("time is the service's clock", async () => {
  const { clock, open, service } = await serve();
  const sender = await open();
  const authorization = bearer(clock.now());
  sender.push([1], { authorization });
  await sender.until(() => answersOf(sender).length === 1);
  clock.advance(61 * 60_000);
  sender.push([3], { authorization });
  await sender.until(() => answersOf(sender).length === 2);
  expect(service.history.pushes.map(({ reason, atMs }) => [reason, clock.now() - atMs])).toEqual([
    [undefined, 61 * 60_000],
    ["ExpiredProviderToken", 0],
  ]);
});

test("the history tells what was sent, and on which connection and stream", async () => {
  const { open, service } = await serve();
  await open();
  const sender = await open();
  sender.push([5], { authorization: bearer(), "apns-push-type": "alert" }, '{"aps":{}}');
  const [push] = await service.history.waitFor();
  expect(push).toMatchObject({
    connection: 2,
    stream: 5,
    deviceToken: "aabbccdd",
    topic: "com.example.demo",
    pushType: "alert",
    status: 200,
  });
  expect(push?.payload.toString()).toBe('{"aps":{}}');
  expect(push?.headers[":path"]).toBe("/3/device/aabbccdd");
  await sender.until(() => answersOf(sender).length === 1);
  expect(sender.fieldsOf(answersOf(sender)[0])["apns-id"]).toBe(push?.apnsId);
});

test("an idle connection ends with IdleTimeout, where that is assumed", async () => {
  const { clock, open } = await serve("sandbox", { idleTimeoutMs: 60_000 });
  const sender = await open();
  sender.push([1], { authorization: bearer() });
  await sender.until(() => answersOf(sender).length === 1);
  clock.advance(59_999);
  sender.push([3], { authorization: "x" });
  await sender.until(() => answersOf(sender).length === 2);
  clock.advance(59_999);
  expect(sender.ofType(frameType.goaway)).toEqual([]);
  clock.advance(1);
  await sender.untilClosed();
  expect(sender.ofType(frameType.goaway)[0]?.payload.subarray(8).toString()).toBe('{"reason":"IdleTimeout"}');
});

test("or the request after the pause is answered with it", async () => {
  const { clock, open, service } = await serve("sandbox", { idleTimeoutMs: 60_000, idleTimeoutBy: "answer" });
  const sender = await open(clientCertificate(["sandbox"]));
  sender.push([1]);
  await sender.until(() => answersOf(sender).length === 1);
  clock.advance(60_001);
  sender.push([3]);
  await sender.until(() => answersOf(sender).length === 2);
  expect(service.history.pushes.map(({ reason }) => reason)).toEqual([undefined, "IdleTimeout"]);
});

test("refusals in a row take the streams away until a push is accepted, where that is assumed", async () => {
  const { open } = await serve("sandbox", { penaltyAfter: 2 });
  const sender = await open(clientCertificate(["sandbox"]));
  sender.push([1, 3], { "apns-priority": "11" });
  await sender.until(() => settingsOf(sender).length === 2);
  sender.push([5]);
  await sender.until(() => settingsOf(sender).length === 3);
  expect(settingsOf(sender)).toEqual([1000, 1, 1000]);
});

test("a request for a device that never answers stays open, and nothing is written down", async () => {
  const { open, service } = await serve();
  service.devices.describe("aabbccdd", { answers: "never" });
  const sender = await open(clientCertificate(["sandbox"]));
  sender.push([1, 3]);
  sender.frame(frameType.ping, 0, 0, Buffer.alloc(8));
  await sender.until(() => sender.ofType(frameType.ping).length === 1);
  expect(answersOf(sender)).toEqual([]);
  expect(service.history.total).toBe(0);
});

test("a shutdown: GOAWAY at once, Shutdown for what still comes, and new connections are turned away", async () => {
  const { service, open } = await serve();
  const sender = await open();
  const authorization = bearer();
  sender.push([1], { authorization });
  await sender.until(() => answersOf(sender).length === 1);
  service.state.announceShutdown();
  await sender.until(() => sender.ofType(frameType.goaway).length === 1);
  sender.push([3], { authorization });
  await sender.until(() => answersOf(sender).length === 2);
  const goaway = (of: RawSender) => of.ofType(frameType.goaway)[0]?.payload;
  expect(goaway(sender)?.readUInt32BE(0)).toBe(0x7fff_ffff);
  expect(goaway(sender)?.toString("latin1", 8)).toBe('{"reason":"Shutdown"}');
  expect(answersOf(sender).map((frame) => sender.fieldsOf(frame)[":status"])).toEqual(["200", "503"]);
  expect(service.history.pushes.map(({ reason }) => reason)).toEqual([undefined, "Shutdown"]);
  const late = await open();
  await late.untilClosed();
  expect(goaway(late)?.readUInt32BE(0)).toBe(0);
  service.state.resume();
  const again = await open();
  again.push([1], { authorization });
  await again.until(() => answersOf(again).length === 1);
  expect(again.fieldsOf(answersOf(again)[0])[":status"]).toBe("200");
});

test("a device that is offline gets the newest push when it is back", async () => {
  const { open, service } = await serve();
  const device = service.devices.describe("aabbccdd", { reach: "offline" });
  const sender = await open(clientCertificate(["sandbox"]));
  sender.push([1, 3], {}, '{"aps":{"badge":1}}');
  sender.push([5], {}, '{"aps":{"badge":2}}');
  sender.push([7], { "apns-expiration": "0" }, '{"aps":{"badge":3}}');
  await service.history.waitFor({ status: 200, count: 4 });
  expect(device.mailbox.received).toEqual([]);
  service.devices.describe("aabbccdd", { reach: "online" });
  expect(device.mailbox.received.map(({ payload }) => payload.toString())).toEqual(['{"aps":{"badge":2}}']);
});
