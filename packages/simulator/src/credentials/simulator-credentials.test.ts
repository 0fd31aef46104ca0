import { expect, test } from "vitest";
import { issueServerCertificate } from "./certificate-issuer.ts";
import { completeCredentials } from "./simulator-credentials.ts";

const nowMs = Date.now();
const topic = "com.example.demo";

test("what is good is kept, and what is missing is made without a word", () => {
  const { credentials } = completeCredentials({}, topic, nowMs);
  expect(completeCredentials(credentials, topic, nowMs)).toEqual({ credentials, notices: [] });
  const { client: _, ...rest } = credentials;
  const { credentials: completed, notices } = completeCredentials(rest, topic, nowMs);
  expect(notices).toEqual([]);
  expect(completed).toMatchObject(rest);
});

test("a server certificate for other names is replaced", () => {
  const { credentials } = completeCredentials({}, topic, nowMs);
  const server = issueServerCertificate(credentials.authority, ["localhost", "127.0.0.1"], nowMs);
  expect(completeCredentials({ ...credentials, server }, topic, nowMs).notices).toEqual([
    "The server certificate was made anew: it does not name ::1.",
  ]);
});

test("a key that belongs to another certificate is found", () => {
  const [one, two] = [1, 2].map(() => completeCredentials({}, topic, nowMs).credentials);
  const client = { cert: one!.client.cert, key: two!.client.key };
  expect(completeCredentials({ ...one, client }, topic, nowMs).notices).toEqual([
    "The client certificate was made anew: its key belongs to another certificate.",
  ]);
});
