/** The retired binary protocol under the bytes of any sender, gateway and feedback service. */
import assert from "node:assert/strict";
import {
  BinaryFrameDecoder,
  ErrorResponseDecoder,
  encodeErrorResponse,
  encodeFeedback,
  encodeFrame,
  FeedbackDecoder,
  mostPayloadBytes,
  mostTokenBytes,
} from "@carillon/apns/binary";
import type { Target } from "./target.ts";

interface Decoder {
  receive(chunk: Uint8Array): void;
  next(): { readonly kind: string } | undefined;
}

const decoders: readonly (() => Decoder)[] = [
  () => new BinaryFrameDecoder(),
  () => new ErrorResponseDecoder(),
  () => new FeedbackDecoder(),
];

/** The first byte says how long the pieces are and who listens. The same must come of the bytes in one piece. */
function runBinary(input: Buffer): void {
  const head = input[0] ?? 0;
  const decoder = decoders[(head >> 2) % decoders.length]!;
  const bytes = input.subarray(1);
  const step = [bytes.length, 1, 7, 64][head % 4] || 1;
  const whole = decodeAll(decoder(), bytes, bytes.length || 1);
  assert.deepEqual(decodeAll(decoder(), bytes, step), whole);
  for (const [at, read] of whole.entries()) {
    if (read.kind === "malformed") assert.equal(at, whole.length - 1, "something behind what is malformed");
    if (read.kind === "notification") checkNotification(read);
  }
}

function checkNotification(read: object): void {
  const { command, notification } = read as Extract<
    NonNullable<ReturnType<BinaryFrameDecoder["next"]>>,
    { kind: "notification" }
  >;
  const { deviceToken, payload } = notification;
  assert(deviceToken.length >= 1 && deviceToken.length <= mostTokenBytes);
  assert(payload.length >= 1 && payload.length <= mostPayloadBytes);
  const again = new BinaryFrameDecoder();
  again.receive(encodeFrame(command, notification));
  assert.deepEqual(again.next(), read);
}

function decodeAll(decoder: Decoder, bytes: Buffer, step: number): { readonly kind: string }[] {
  const all: { readonly kind: string }[] = [];
  for (let at = 0; at < bytes.length; at += step) {
    decoder.receive(bytes.subarray(at, at + step));
    for (let each = decoder.next(); each !== undefined; each = decoder.next()) all.push(each);
  }
  return all;
}

function seeds(): Buffer[] {
  const notification = {
    ...{ deviceToken: Buffer.alloc(32, 7), payload: Buffer.from('{"aps":{}}') },
    ...{ identifier: 0xfedc_ba98, expirationSeconds: 0, priority: 5 },
  };
  const streams = [
    Buffer.concat(([0, 1, 2, 0] as const).map((command) => encodeFrame(command, notification))),
    encodeErrorResponse({ status: 8, identifier: 1234 }),
    encodeFeedback([
      { goneSinceSeconds: 1_325_376_000, deviceToken: Buffer.alloc(32, 1) },
      { goneSinceSeconds: 0xffff_ffff, deviceToken: Buffer.alloc(100, 2) },
    ]),
  ];
  return streams.flatMap((stream, listener) =>
    [0, 1, 2, 3].map((step) => Buffer.concat([Buffer.from([(listener << 2) | step]), stream])),
  );
}

export const binary: Target = {
  run: runBinary,
  seeds: seeds(),
  framesAt: 1,
  watched: ["/packages/apns/dist/binary/"],
};
