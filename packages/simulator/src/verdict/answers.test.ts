import { rejectionReasons } from "@carillon/apns";
import { expect, test } from "vitest";
import { writeAnswer, writeBody } from "./answers.ts";
import { type Assumptions, usualAssumptions } from "./assumptions.ts";

const sandbox = { environment: "sandbox", assumptions: usualAssumptions } as const;
const production = { ...sandbox, environment: "production" } as const;
const verdict = { apnsId: "EABEAE54-14A8-11E5-B60B-1697F925EC7B", isAuthenticated: true } as const;
const accepted = { ...verdict, refusal: undefined, rule: undefined };

test("a 200 has no body, and a unique id in the sandbox only", () => {
  const plain = writeAnswer(accepted, production);
  expect(plain).toEqual({
    status: 200,
    fields: [":status", "200", "apns-id", verdict.apnsId],
    body: undefined,
  });
  const answers = [writeAnswer(accepted, sandbox), writeAnswer(accepted, sandbox)];
  for (const { fields } of answers) {
    expect(fields.slice(0, 5)).toEqual([...plain.fields, "apns-unique-id"]);
    expect(fields[5]).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  }
  expect(answers[0]?.fields[5]).not.toBe(answers[1]?.fields[5]);
});

test.each(Object.entries(rejectionReasons))("%s goes out with its status", (reason, { status }) => {
  const refusal = { reason: reason as keyof typeof rejectionReasons };
  const answer = writeAnswer({ ...verdict, refusal, rule: "any" }, sandbox);
  expect(answer.status).toBe(status);
  expect(answer.fields).toEqual([
    ...[":status", String(status), "apns-id", verdict.apnsId],
    ...["content-type", "application/json"],
  ]);
  expect(answer.body?.toString()).toBe(`{"reason":"${reason}"}`);
});

test("a 410 says since when, in milliseconds", () => {
  const refusal = { reason: "Unregistered", goneSinceMs: 1_443_131_100_123 } as const;
  const { status, body } = writeAnswer({ ...verdict, refusal, rule: "registration" }, production);
  expect(status).toBe(410);
  expect(body?.toString()).toBe('{"reason":"Unregistered","timestamp":1443131100123}');
});

test("the debug data of a GOAWAY is that of Apple, byte by byte", () => {
  const body = writeBody("BadCertificateEnvironment");
  expect(body.toString()).toBe('{"reason":"BadCertificateEnvironment"}');
  expect(body).toHaveLength(38);
});

test("what is assumed about the headers of refusals", () => {
  const refuse = (
    reason: "TooManyRequests" | "ServiceUnavailable" | "BadTopic",
    assumptions: Partial<Assumptions>,
  ) =>
    writeAnswer(
      { ...verdict, refusal: { reason }, rule: "any" },
      { ...sandbox, assumptions: { ...usualAssumptions, ...assumptions } },
    ).fields.slice(4);
  const retryAfterSeconds = 2;
  expect(refuse("TooManyRequests", { retryAfterSeconds })).toEqual([
    ...["content-type", "application/json", "retry-after", "2"],
  ]);
  expect(refuse("ServiceUnavailable", { retryAfterSeconds, contentType: undefined })).toEqual([
    "retry-after",
    "2",
  ]);
  expect(refuse("BadTopic", { retryAfterSeconds, contentType: "text/plain" })).toEqual([
    "content-type",
    "text/plain",
  ]);
});
