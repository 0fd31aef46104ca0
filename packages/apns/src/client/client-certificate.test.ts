import { expect, test } from "vitest";
import { modernP12, productionCert, universal } from "../credentials/certificates.test-support.ts";
import { systemClock } from "../runtime/index.ts";
import { ApnsClient } from "./client.ts";
import type { ApnsClientOptions } from "./options.ts";

const { cert, key } = universal;
const during = Date.UTC(2027, 0, 1);

function open(options: Partial<ApnsClientOptions>, nowMs = during) {
  const logged: string[] = [];
  const client = new ApnsClient({
    ...(options.endpoint === undefined ? { environment: "production" } : {}),
    credentials: { kind: "certificate", cert, key },
    clock: { ...systemClock, now: () => nowMs },
    logger: { info: () => undefined, warn: (message) => logged.push(message) },
    ...options,
  });
  return { client, logged };
}

const production = { kind: "certificate", cert: productionCert, key } as const;

test.each<[string, Partial<ApnsClientOptions>, number, RegExp]>([
  ["has expired", {}, Date.UTC(2028, 0, 1), /the certificate expired on 2027-12-26: make a new one/],
  ["is not valid yet", {}, Date.UTC(2026, 0, 1), /valid only from 2026-11-24/],
  [
    "is for the other environment",
    { environment: "sandbox", credentials: production },
    during,
    /not for sandbox/,
  ],
  [
    "is for another app",
    { topic: "com.example.Third" },
    during,
    /com\.example\.MyApp, .* and not for com\.example\.Third/,
  ],
])(
  "a certificate that %s is refused up front, or only logged in lenient mode",
  (_, options, nowMs, message) => {
    expect(() => open(options, nowMs)).toThrow(expect.objectContaining({ code: "bad-certificate" }));
    expect(() => open(options, nowMs)).toThrow(message);
    expect(open({ ...options, validation: "lenient" }, nowMs).logged).toEqual([
      expect.stringMatching(message),
    ]);
  },
);

test("a certificate in its last month is used, and told of", () => {
  expect(open({}, Date.UTC(2027, 11, 10)).logged).toEqual([
    expect.stringMatching(/expires on 2027-12-26, in 16 days/),
  ]);
  expect(open({}).logged).toEqual([]);
});

test("against a server that is not Apple's the environment does not matter", () => {
  expect(open({ endpoint: "https://localhost:1", credentials: production }).logged).toEqual([]);
});

test("the certificate's main topic is the client's, and its other topics may be named", async () => {
  const { client } = open({ credentials: { kind: "pkcs12", data: modernP12, passphrase: "secret" } });
  const aborted = AbortSignal.abort();
  const send = (change: object) =>
    client.send(
      { deviceToken: "abcd1234", payload: { aps: { alert: "a" } }, ...change },
      { signal: aborted },
    );
  expect(await send({})).toMatchObject({ kind: "unprocessed" });
  expect(await send({ pushType: "voip" })).toMatchObject({ kind: "unprocessed" });
  await expect(send({ topic: "com.example.Third" })).rejects.toThrow(
    /topic is com\.example\.Third, which the certificate/,
  );
  await expect(send({ pushType: "location" })).rejects.toThrow(
    /location, which APNs takes with a provider token/,
  );
  await client.close();
});
