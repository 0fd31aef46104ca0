import { BinaryFrameDecoder, encodeFrame } from "@carillon/apns/binary";
import { expect, test } from "vitest";
import { draftsOf } from "../delivery/draft-run.test-support.ts";
import { draftRuns } from "./draft-runs.ts";
import { FrameReader, type WantedPush } from "./frame-reader.ts";

const stream = Buffer.concat(
  Array.from({ length: 40 }, (_, at) =>
    encodeFrame(at % 3 === 0 ? 1 : 2, {
      deviceToken: Buffer.alloc(4 + at, at + 0xa0),
      payload: Buffer.from(`{"aps":{"alert":"${"x".repeat(at)}"}}`),
      ...{ identifier: at, expirationSeconds: at < 20 ? 4_000_000_000 : at, priority: at % 3 === 0 ? 10 : 5 },
    }),
  ),
);

function pushesIn(chunks: readonly Buffer[]): WantedPush[] {
  const decoder = new BinaryFrameDecoder();
  const reader = new FrameReader("com.example.demo", undefined);
  const pushes: WantedPush[] = [];
  for (const chunk of chunks) {
    decoder.receive(chunk);
    for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
      const push = reader.read(frame);
      if (push.kind === "push") pushes.push(push);
    }
  }
  return pushes;
}

test("runs say what the frames said, in order, however the bytes came", () => {
  for (const size of [1, 7, 100, 1_000, stream.length]) {
    const chunks: Buffer[] = [];
    for (let at = 0; at < stream.length; at += size)
      chunks.push(Buffer.from(Uint8Array.prototype.slice.call(stream, at, at + size)));
    const drafts = draftRuns(pushesIn(chunks), { environment: "sandbox" }).flatMap(draftsOf);
    expect(drafts, `chunks of ${size}`).toHaveLength(40);
    drafts.forEach((draft, at) => {
      expect(draft.deviceTokens).toEqual([Buffer.alloc(4 + at, at + 0xa0).toString("hex")]);
      expect(Buffer.from(draft.payload).toString()).toBe(`{"aps":{"alert":"${"x".repeat(at)}"}}`);
      expect(draft.expirationSeconds).toBe(at < 20 ? 4_000_000_000 : at);
      expect(draft.topic).toBe("com.example.demo");
    });
  }
});

test("frames of one read that differ in device token and payload only are one run", () => {
  const frames = Array.from({ length: 10 }, (_, at) =>
    encodeFrame(0, { deviceToken: Buffer.alloc(32, at), payload: Buffer.from(`{"a":${at}}`) }),
  );
  const bytes = Buffer.from(new Uint8Array(Buffer.concat(frames)).buffer);
  expect(
    draftRuns(pushesIn([bytes]), { environment: "sandbox" }).map(({ recipients }) => recipients),
  ).toEqual([10]);
});

const push: WantedPush = {
  ...{ kind: "push", identifier: 1, deviceToken: Buffer.alloc(32), payload: Buffer.from("{}") },
  ...{ topic: "com.example", pushType: "alert", priority: undefined, expirationSeconds: undefined },
};

test("frames name no environment: where the app resolves environments, the other one may be tried", () => {
  const sharedOf = (resolveEnvironment: boolean | undefined) =>
    draftRuns([push], {
      environment: "production",
      ...(resolveEnvironment === undefined ? {} : { resolveEnvironment }),
    })[0]?.shared;
  expect(sharedOf(true)).toMatchObject({ environment: "production", environmentChoice: "open" });
  for (const off of [false, undefined]) expect(sharedOf(off)).not.toHaveProperty("environmentChoice");
});
