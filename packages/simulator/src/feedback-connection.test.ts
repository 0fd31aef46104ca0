import { X509Certificate } from "node:crypto";
import { FeedbackDecoder } from "@carillon/apns/binary";
import { expect, test } from "vitest";
import { FeedbackList } from "./binary/index.ts";
import { Channels } from "./channels/index.ts";
import { Connections } from "./connections/index.ts";
import { completeCredentials } from "./credentials/index.ts";
import { Devices } from "./devices/index.ts";
import { FeedbackConnection } from "./feedback-connection.ts";
import { History } from "./history/index.ts";
import type { PushService } from "./push-service.ts";
import { ServiceState } from "./service-state.ts";
import { ProviderTokens, usualAssumptions } from "./verdict/index.ts";
import type { Wire } from "./wire/index.ts";

const topic = "com.example.demo";
const { credentials } = completeCredentials({}, topic, Date.now());
const wire: Wire = {
  ...{ close: () => {}, flush: () => {}, cut: () => {}, stall: () => {}, goOn: () => {}, segment: () => {} },
  renegotiate: () => {},
};

function serve(): PushService {
  return {
    environment: "sandbox",
    assumptions: usualAssumptions,
    history: new History(),
    devices: new Devices(),
    channels: new Channels(),
    feedback: new FeedbackList(),
    connections: new Connections(),
    providerTokens: new ProviderTokens([credentials.providerKey]),
    clock: { now: () => 0, monotonic: () => 0, setTimer: () => ({ cancel: () => {} }) },
    state: new ServiceState({ monotonic: () => 0 }),
    scenario: { run: undefined },
  };
}

function open(service: PushService, connection: number): FeedbackConnection {
  const certificate = new X509Certificate(credentials.client.cert).raw;
  const client = { connection, certificate, isTrusted: true, tls: "TLSv1.3", alpn: undefined };
  const opened = new FeedbackConnection(service, client);
  opened.opened(wire);
  return opened;
}

function countTuples(bytes: Buffer | undefined): number {
  const decoder = new FeedbackDecoder();
  decoder.receive(bytes ?? Buffer.alloc(0));
  let count = 0;
  while (decoder.next()?.kind === "tuple") count += 1;
  expect(decoder.isInTuple).toBe(false);
  return count;
}

test("a reader that goes away leaves to the next one what was not written to it", () => {
  const service = serve();
  for (let ordinal = 1; ordinal <= 250; ordinal += 1)
    service.feedback.add({ topic, deviceToken: ordinal.toString(16).padStart(64, "0"), goneSinceMs: 0 });
  service.feedback.add({ topic: "com.example.other", deviceToken: "aabb", goneSinceMs: 0 });
  const first = open(service, 1);
  expect(countTuples(first.takeOutput())).toBe(100);
  first.closed();
  const second = open(service, 2);
  expect([100, 50, 0].map(() => countTuples(second.takeOutput()))).toEqual([100, 50, 0]);
  expect(second.hasSaidAll).toBe(true);
  expect(service.feedback.find().map((entry) => entry.topic)).toEqual(["com.example.other"]);
  expect(service.connections.find(1)).toMatchObject({ protocol: "feedback", frames: { tuple: 100 } });
});

test("two readers at once share what there is", () => {
  const service = serve();
  for (let ordinal = 1; ordinal <= 150; ordinal += 1)
    service.feedback.add({ topic, deviceToken: ordinal.toString(16).padStart(64, "0"), goneSinceMs: 0 });
  const [one, other] = [open(service, 1), open(service, 2)];
  expect([one, other].map((reader) => countTuples(reader.takeOutput()))).toEqual([100, 50]);
});

test("a list that is kept is told whole to each reader, page by page", () => {
  const service: PushService = {
    ...serve(),
    assumptions: { ...usualAssumptions, feedbackReading: "again" },
  };
  for (let ordinal = 1; ordinal <= 150; ordinal += 1)
    service.feedback.add({ topic, deviceToken: ordinal.toString(16).padStart(64, "0"), goneSinceMs: 0 });
  for (const number of [1, 2]) {
    const reader = open(service, number);
    expect([100, 50, 0].map(() => countTuples(reader.takeOutput()))).toEqual([100, 50, 0]);
    expect(reader.hasSaidAll).toBe(true);
  }
});

test("a goodbye leaves to the next reader what was not told", () => {
  const service = serve();
  service.feedback.add({ topic, deviceToken: "aabb", goneSinceMs: 0 });
  const reader = open(service, 1);
  reader.sayGoodbye();
  expect(reader.takeOutput()).toBeUndefined();
  expect(reader.hasSaidAll).toBe(true);
  expect(service.feedback.find()).toHaveLength(1);
});

test("of one device the newest entry is told, once; of one topic the newest 100,000", () => {
  const list = new FeedbackList();
  list.add({ topic, deviceToken: "aabb", goneSinceMs: 1 });
  list.add({ topic, deviceToken: "aabb", goneSinceMs: 2 });
  expect(list.find(topic)).toEqual([{ topic, deviceToken: "aabb", goneSinceMs: 2 }]);
  for (let ordinal = 1; ordinal <= 100_000; ordinal += 1)
    list.add({ topic, deviceToken: `cc${ordinal}`, goneSinceMs: 1 });
  expect(list.find()).toHaveLength(100_000);
  expect(list.find()[0]?.deviceToken).toBe("cc1");
});

test("what is told again is the newest: others are forgotten before it", () => {
  const list = new FeedbackList();
  for (const deviceToken of ["aa", "bb", "aa"]) list.add({ topic, deviceToken, goneSinceMs: 1 });
  expect(list.list(topic, 0, 9).map(({ deviceToken }) => deviceToken)).toEqual(["bb", "aa"]);
  list.clear();
  expect(list.find()).toEqual([]);
});
