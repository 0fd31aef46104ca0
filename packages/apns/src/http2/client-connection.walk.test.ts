import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteWriter } from "./byte-writer.ts";
import { ClientConnection } from "./client-connection.ts";
import { flag, frameType, max31Bit } from "./frame-types.ts";
import {
  writeFrameHeader,
  writeGoaway,
  writeRstStream,
  writeSettings,
  writeWindowUpdate,
} from "./frame-writer.ts";
import { RawPeer } from "./raw-peer.test-support.ts";

const { data, headers, rstStream } = frameType;

/** One step of a walk; `at` picks among the open streams. */
type Step =
  | { readonly kind: "open"; readonly bodyBytes: number }
  | { readonly kind: "take" | "settings ack" | "ping" }
  | {
      readonly kind: "answer" | "status" | "body" | "reset" | "refuse" | "cancel" | "malformed";
      readonly at: number;
    }
  | { readonly kind: "stream window"; readonly at: number; readonly bytes: number }
  | { readonly kind: "window"; readonly bytes: number }
  | { readonly kind: "limit" | "initial window" | "table size"; readonly value: number }
  | { readonly kind: "goaway"; readonly at: number };

const at = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 40, arbitrary: fc.record({ kind: fc.constant("open" as const), bodyBytes: fc.nat(6000) }) },
  { weight: 30, arbitrary: fc.record({ kind: fc.constant("take" as const) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom("settings ack" as const, "ping" as const) }) },
  {
    weight: 40,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        ...(["answer", "answer", "status", "body", "reset", "refuse", "cancel", "malformed"] as const),
      ),
      at,
    }),
  },
  {
    weight: 15,
    arbitrary: fc.record({
      kind: fc.constant("stream window" as const),
      at,
      bytes: fc.integer({ min: 1, max: 9000 }),
    }),
  },
  {
    weight: 15,
    arbitrary: fc.record({
      kind: fc.constant("window" as const),
      bytes: fc.integer({ min: 1, max: 40_000 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("limit" as const), value: fc.nat(12) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("initial window" as const), value: fc.nat(8000) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("table size" as const), value: fc.nat(5000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("goaway" as const), at }) },
);

test("on any walk settles each request once, keeps to the peer's limits and windows, and stays in step", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const walk = new Walk();
      for (const each of steps) walk.take(each);
      walk.finish();
    }),
    { numRuns: 400 },
  );
});

test("meets any bytes from a peer without an exception, and settles each request once", () => {
  const frame = fc
    .tuple(fc.nat(12), fc.nat(255), fc.nat(9), fc.uint8Array({ maxLength: 24 }))
    .map(([type, flags, streamId, payload]) => {
      const out = new ByteWriter(64);
      writeFrameHeader(out, payload.length, type, flags, streamId);
      out.bytes(payload);
      return out.take();
    });
  const piece = fc.oneof(frame, frame, frame, fc.uint8Array({ maxLength: 20 }).map(Buffer.from));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.boolean(), (pieces, greets) => {
      const settled: string[] = [];
      const client = new ClientConnection<string>({
        capacityChanged() {},
        response: (tag) => settled.push(tag),
        failed: (tag) => settled.push(tag),
        goaway() {},
        pong() {},
        broken() {},
      });
      const opened: string[] = [];
      if (greets) client.receive(Buffer.from("000000040000000000", "hex"));
      for (const bytes of pieces) {
        if (client.canOpen(3)) {
          opened.push(`${opened.length}`);
          client.open([":method", "POST"], Buffer.from("{}!"), `${opened.length - 1}`);
        }
        client.receive(bytes);
        client.takeOutput();
      }
      client.socketClosed();
      expect(settled.sort()).toEqual(opened.sort());
      expect([client.openStreams, client.phase]).toEqual([0, "closed"]);
    }),
    { numRuns: 3000 },
  );
});

/** A walk, and a model of what the peer knows: its limits and what it has received. */
class Walk {
  private readonly peer = RawPeer.opened();
  private readonly open: number[] = [];
  private readonly opened = new Map<string, number>();
  private readonly cancelled = new Set<string>();
  private readonly settled: string[] = [];
  private readonly bodies = new Map<number, { wanted: number; received: number; window: number }>();
  private connectionWindow = 65_535;
  private initialWindow = 65_535;
  private limit = Number.POSITIVE_INFINITY;

  constructor() {
    this.peer.onEvent = (event) => {
      const tag = event.split(" ")[0]!;
      if (this.opened.has(tag)) this.settle(tag);
    };
  }

  take(step: Step): void {
    const { peer } = this;
    switch (step.kind) {
      case "open":
        this.request(step.bodyBytes);
        break;
      case "take":
        this.read();
        break;
      case "settings ack":
        peer.frame(frameType.settings, flag.ack, 0);
        break;
      case "ping":
        peer.frame(frameType.ping, 0, 0, "0000000000000000");
        break;
      case "window":
        this.connectionWindow += step.bytes;
        peer.write((out) => writeWindowUpdate(out, 0, step.bytes));
        break;
      case "limit":
        this.limit = step.value;
        peer.write((out) => writeSettings(out, [[3, step.value]]));
        break;
      case "initial window":
        for (const body of this.bodies.values()) body.window += step.value - this.initialWindow;
        this.initialWindow = step.value;
        peer.write((out) => writeSettings(out, [[4, step.value]]));
        break;
      case "table size":
        peer.write((out) => writeSettings(out, [[1, step.value]]));
        break;
      default:
        this.read();
        if (this.open.length > 0) this.onStream(step, this.open[step.at % this.open.length]!);
    }
  }

  finish(): void {
    this.read();
    this.peer.client.socketClosed();
    const expected = [...this.opened.keys()].filter((tag) => !this.cancelled.has(tag));
    expect(this.settled.toSorted()).toEqual(expected.toSorted());
    expect(this.peer.client.openStreams).toBe(0);
  }

  private onStream(step: Exclude<Step, { kind: "open" | "take" }>, id: number): void {
    const { peer } = this;
    switch (step.kind) {
      case "answer":
        peer.respond(id, [":status", "200", "apns-id", `${id}`]);
        break;
      case "status":
        peer.respond(id, [":status", "400", "x", `${id % 7}`], 0);
        break;
      case "body":
        peer.frame(data, 0, id, "7b7d");
        break;
      case "malformed":
        peer.respond(id, ["no", "status"]);
        break;
      case "reset":
        peer.write((out) => writeRstStream(out, id, 2));
        break;
      case "refuse":
        peer.write((out) => writeRstStream(out, id, 7));
        break;
      case "cancel":
        this.cancelled.add(`t${id}`);
        this.forget(id);
        peer.client.cancel(id);
        break;
      case "stream window": {
        const body = this.bodies.get(id)!;
        body.window += step.bytes;
        peer.write((out) => writeWindowUpdate(out, id, step.bytes));
        break;
      }
      case "goaway":
        peer.write((out) => writeGoaway(out, id, 0));
        break;
    }
  }

  private request(bodyBytes: number): void {
    const { client } = this.peer;
    const mayOpen = client.canOpen(bodyBytes);
    if (this.open.length >= this.limit) expect(mayOpen).toBe(false);
    if (!mayOpen) return;
    const id = this.opened.size * 2 + 1;
    this.opened.set(`t${id}`, id);
    this.open.push(id);
    this.bodies.set(id, { wanted: bodyBytes, received: 0, window: this.initialWindow });
    const fields = [":method", "POST", ":path", `/${id}`, "apns-topic", `${id % 3}`, "apns-id", `${id}`];
    expect(client.open(fields, Buffer.alloc(bodyBytes), `t${id}`)).toBe(id);
    expect(client.openStreams).toBe(this.open.length);
  }

  /** Reads what the client wrote and holds it against the windows that were granted. */
  private read(): void {
    for (const frame of this.peer.read()) {
      expect(frame.payload.length).toBeLessThanOrEqual(16_384);
      if (frame.type === headers) {
        const fields = this.peer.fieldsOf(frame);
        expect(fields.at(-1)).toBe(`${frame.streamId}`);
      }
      if (frame.type === rstStream) this.bodies.delete(frame.streamId);
      if (frame.type !== data) continue;
      const body = this.bodies.get(frame.streamId)!;
      body.received += frame.payload.length;
      body.window -= frame.payload.length;
      this.connectionWindow -= frame.payload.length;
      expect(body.received).toBeLessThanOrEqual(body.wanted);
      expect((frame.flags & flag.endStream) !== 0).toBe(body.received === body.wanted);
      expect(this.connectionWindow).toBeGreaterThanOrEqual(0);
    }
    const { client } = this.peer;
    expect(client.sendWindow).toBeLessThanOrEqual(Math.min(this.connectionWindow, max31Bit));
    for (const id of this.open) {
      const body = this.bodies.get(id);
      // Whatever may be written was written: nothing is left behind a window that is open.
      if (body !== undefined && body.window > 0) expect(body.received).toBe(body.wanted);
    }
  }

  private settle(tag: string): void {
    this.settled.push(tag);
    this.forget(this.opened.get(tag)!);
  }

  private forget(id: number): void {
    const place = this.open.indexOf(id);
    if (place >= 0) this.open.splice(place, 1);
  }
}
