import { once } from "node:events";
import { FeedbackDecoder } from "@carillon/apns/binary";
import { expect, test, vi } from "vitest";
import { FakeClock } from "../../../../test/support/fake-clock.ts";
import { LegacySender } from "../../../../test/support/legacy-sender.ts";
import { deviceToken } from "../../../../test/support/sending.ts";
import { FakeFeedback, openBridgeAlone } from "./bridge.test-support.ts";

/** Far more than sockets hold on their way. */
const many = 400_000;

function until(is: () => boolean): Promise<unknown> {
  return vi.waitUntil(is, { timeout: 20_000 });
}

function goneTokens(count: number): FakeFeedback {
  return new FakeFeedback(
    Array.from({ length: count }, (_, at) => ({
      deviceToken: deviceToken(at),
      goneSinceMs: 1_700_000_000_999 + at,
    })),
  );
}

/** `[seconds, device token]` of each tuple. */
function tuplesOf(bytes: Buffer): [number, string][] {
  const decoder = new FeedbackDecoder();
  decoder.receive(bytes);
  const tuples: [number, string][] = [];
  for (let read = decoder.next(); read?.kind === "tuple"; read = decoder.next())
    tuples.push([read.value.goneSinceSeconds, read.value.deviceToken.toString("hex")]);
  expect(decoder.isInTuple).toBe(false);
  return tuples;
}

test("row 82: the first reader gets each with its time, the second one nothing, and a third what is new", async () => {
  const feedback = goneTokens(3);
  const { feedbackReader } = await openBridgeAlone({ feedback });
  const first = await new LegacySender(feedbackReader).ended;
  expect(tuplesOf(first.bytes)).toEqual([0, 1, 2].map((at) => [1_700_000_000 + (at && 1), deviceToken(at)]));
  await until(() => feedback.cursor === 3);
  expect((await new LegacySender(feedbackReader).ended).bytes).toHaveLength(0);
  feedback.gone.push({ deviceToken: deviceToken(9), goneSinceMs: 5_000 });
  expect(tuplesOf((await new LegacySender(feedbackReader).ended).bytes)).toEqual([[5, deviceToken(9)]]);
});

test("row 82: what a reader that is killed in the middle of a tuple had is told to the next one again", async () => {
  const feedback = goneTokens(many);
  const { feedbackReader, log } = await openBridgeAlone({ feedback });
  const killed = new LegacySender(feedbackReader);
  killed.socket.once("data", () => killed.socket.destroy());
  await killed.ended;
  await until(() => log.some((line) => line.includes("is kept")));
  expect(feedback.cursor).toBe(0);
  const { bytes } = await new LegacySender(feedbackReader).ended;
  expect(bytes).toHaveLength(many * 38);
  await until(() => feedback.cursor === many);
});

test("a reader that says good-bye before all was written has not read it", async () => {
  const feedback = goneTokens(many);
  const { feedbackReader, log } = await openBridgeAlone({ feedback });
  const hasty = new LegacySender(feedbackReader);
  hasty.socket.once("data", () => {
    hasty.socket.pause();
    hasty.socket.end();
  });
  await until(() => log.some((line) => line.includes("is kept")));
  expect(feedback.cursor).toBe(0);
});

test("a reader that stops reading is let go when its time is up, and has read nothing", async () => {
  const clock = new FakeClock();
  const feedback = goneTokens(many);
  const { feedbackReader, log } = await openBridgeAlone({ feedback, clock });
  const slow = new LegacySender(feedbackReader);
  await once(slow.socket, "data");
  slow.socket.pause();
  await until(() => {
    clock.advance(10_000);
    return log.some((line) => line.includes("it has stopped reading"));
  });
  expect(feedback.cursor).toBe(0);
});

test("while one reads, another one of the same app gets nothing", async () => {
  const feedback = goneTokens(many);
  const { feedbackReader } = await openBridgeAlone({ feedback });
  const first = new LegacySender(feedbackReader);
  await once(first.socket, "data");
  first.socket.pause();
  expect((await new LegacySender(feedbackReader).ended).bytes).toHaveLength(0);
  first.socket.resume();
  expect((await first.ended).bytes).toHaveLength(many * 38);
});
