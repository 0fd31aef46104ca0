import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DeliveryPolicy } from "../notification-draft.ts";
import { decodeBatch } from "./decoder.ts";
import { BatchEncoder } from "./encoder.ts";
import {
  type BatchEntry,
  type BatchSettings,
  checksumOf,
  format,
  fullBatchBytes,
  maxBatchCount,
} from "./format.ts";

const settings: BatchSettings = { topic: "com.example", pushType: "alert" };

function encode(entries: readonly BatchEntry[], delivery: DeliveryPolicy = "at-least-once"): Uint8Array {
  const encoder = new BatchEncoder(delivery);
  entries.forEach((entry, place) => {
    expect(encoder.add(entry.deviceToken, entry)).toBe(place);
  });
  expect(encoder.count).toBe(entries.length);
  const body = encoder.finish();
  expect(encoder.byteLength).toBe(body.byteLength);
  return body;
}

function decode(body: Uint8Array) {
  const decoded = decodeBatch(body);
  if (decoded.kind === "malformed") throw new Error(decoded.detail);
  return decoded.batch;
}

function entriesOf(body: Uint8Array): BatchEntry[] {
  const batch = decode(body);
  return Array.from({ length: batch.count }, (_, place) => {
    const entry = batch.entry(place);
    return { ...entry, payload: new Uint8Array(entry.payload) };
  });
}

/** The batch with a fitting checksum, whatever its records are. */
function sealed(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  if (copy.length >= format.headerBytes) copy.writeUInt32BE(checksumOf(copy), format.checksumAt);
  return copy;
}

const full: BatchEntry = {
  deviceToken: "00ff10",
  payload: Buffer.from("{}"),
  settings: {
    topic: "a.b",
    pushType: "alert",
    priority: 5,
    expirationSeconds: 0x0102030405,
    collapseId: "ü",
  },
  reference: "r1",
  apnsId: "01234567-89ab-cdef-0123-456789abcdef",
  origin: {
    id: "fedcba98-7654-7210-8edc-ba9876543210",
    attempts: 258,
    doubt: true,
    sinceMs: 0x010203040506,
  },
};
const plain: BatchEntry = { deviceToken: "aa", payload: Buffer.from("{}"), settings: full.settings };
const other: BatchEntry = { deviceToken: "bb", payload: Buffer.from("[1]"), settings };

/** Every byte of version 1. Batches of this form lie on people's disks: it changes only with a new version. */
const bytesOfVersion1 = [
  "c5 01 01 00", // magic, version, at most once, reserved
  "fd 52 a1 79", // checksum
  "00 04", // entries
  "80 00000002 7b7d", // payload 0
  "81 07 0003 612e62 0005 616c657274 05 000102030405 0002 c3bc", // settings 0
  "07 03 00ff10 0002 7231 0123456789abcdef0123456789abcdef",
  "fedcba98765472108edcba9876543210 0102 01 010203040506",
  "00 01 aa",
  "80 00000003 5b315d", // payload 1
  "81 00 000b 636f6d2e6578616d706c65 0005 616c657274", // settings 1
  "00 01 bb",
  "82 0000",
  "83 0000",
  "00 01 aa",
];

test.each(["hex", "bytes"] as const)(
  "a run with device tokens in %s is written like its entries",
  (tokenForm) => {
    const token = Buffer.from("00ff10", "hex");
    const written = tokenForm === "hex" ? Buffer.from("00Ff10") : token;
    const bytes = Buffer.concat([Buffer.from("{}"), written, Buffer.from("r1")]);
    const tokenEnd = 2 + written.length;
    const spans = Uint32Array.of(
      2,
      tokenEnd,
      0,
      2,
      tokenEnd,
      bytes.length,
      2,
      tokenEnd,
      0,
      2,
      tokenEnd,
      tokenEnd,
    );
    const shared = {
      ...settings,
      lane: "normal",
      delivery: "at-least-once",
      environment: "sandbox",
    } as const;
    const encoder = new BatchEncoder("at-least-once");
    for (const recipient of [0, 1])
      encoder.addFromRun({ shared, bytes, tokenForm, spans, recipients: 2, payloadBytes: 4 }, recipient);
    const entry = { deviceToken: "00ff10", payload: Buffer.from("{}"), settings };
    expect(encoder.finish()).toEqual(encode([{ ...entry, reference: "r1" }, entry]));
  },
);

describe("version 1", () => {
  const bytes = Buffer.from(bytesOfVersion1.join("").replaceAll(" ", ""), "hex");

  test("is written byte by byte as it was first written", () => {
    expect(Buffer.from(encode([full, plain, other, plain], "at-most-once")).toString("hex")).toBe(
      bytes.toString("hex"),
    );
  });

  test("is read from these bytes", () => {
    const batch = decode(bytes);
    expect(batch).toMatchObject({ count: 4, delivery: "at-most-once", byteLength: bytes.length });
    expect(entriesOf(bytes)).toEqual(
      [full, plain, other, plain].map((entry) => ({ ...entry, payload: new Uint8Array(entry.payload) })),
    );
    expect(() => batch.entry(4)).toThrow("place 4 of a batch of 4");
  });

  test("is read wherever it lies in its memory", () => {
    const memory = Buffer.concat([Buffer.alloc(3), bytes, Buffer.alloc(5)]);
    expect(entriesOf(memory.subarray(3, 3 + bytes.length))).toEqual(entriesOf(bytes));
  });

  test("every cut is malformed", () => {
    for (let length = 0; length < bytes.length; length += 1) {
      const cut = bytes.subarray(0, length);
      expect(decodeBatch(cut).kind, `${length} bytes`).toBe("malformed");
      // A cut that the checksum does not show is shown by the records.
      expect(decodeBatch(sealed(cut)).kind, `${length} bytes, sealed`).toBe("malformed");
    }
    expect(decodeBatch(Buffer.concat([bytes, Buffer.of(0)])).kind).toBe("malformed");
  });

  test("every changed byte is malformed", () => {
    for (let at = 0; at < bytes.length; at += 1)
      for (let change = 1; change < 256; change += 1) {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ change;
        if (decodeBatch(damaged).kind !== "malformed")
          throw new Error(`byte ${at} ^ ${change} was not noticed`);
      }
  });

  test.each([
    [0, 0x00, "first byte 0, expected 197"],
    [1, 0, "version 0, this carillon knows 1 to 3"],
    [1, 4, "version 4, this carillon knows 1 to 3"],
    [2, 2, "delivery 2"],
    [3, 1, "choice of the environment 1"],
    [9, 5, "4 entries, expected 5"],
    [10, 0x85, "unknown record 133 at byte 10"],
    [10, 0x00, "an entry before its payload and settings at byte 10"],
    [bytes.length - 7, 9, "unknown payload at byte"],
    [bytes.length - 4, 9, "unknown settings at byte"],
    [31, 7, "priority 7 at byte"],
  ])("a wrong byte %i = %i under a fitting checksum is told: %s", (at, value, detail) => {
    const wrong = Buffer.from(bytes);
    wrong[at] = value;
    expect(decodeBatch(sealed(wrong))).toMatchObject({
      kind: "malformed",
      detail: expect.stringContaining(detail),
    });
  });
});

/** Every byte of version 2: it is version 1 and one flag of an entry. */
const bytesOfVersion2 = [
  "c5 02 00 00", // magic, version, at least once, reserved
  "700dbf6d", // checksum
  "0003", // entries
  "80 00000002 7b7d", // payload 0
  "81 00 000b 636f6d2e6578616d706c65 0005 616c657274", // settings 0
  "08 01 aa 010203040506",
  "0f 01 aa 0002 7231 0123456789abcdef0123456789abcdef",
  "fedcba98765472108edcba9876543210 0102 01 010203040506 000000000000",
  "00 01 aa",
];

describe("version 2", () => {
  const bytes = Buffer.from(bytesOfVersion2.join("").replaceAll(" ", ""), "hex");
  const { reference, apnsId, origin } = full as Required<BatchEntry>;
  const one: BatchEntry = { deviceToken: "aa", payload: Buffer.from("{}"), settings };
  const entries: BatchEntry[] = [
    { ...one, registeredAtMs: 0x010203040506 },
    { ...one, reference, apnsId, origin, registeredAtMs: 0 },
    one,
  ];

  test("is written where a registration is told, byte by byte, and read again", () => {
    expect(Buffer.from(encode(entries)).toString("hex")).toBe(bytes.toString("hex"));
    expect(entriesOf(bytes)).toEqual(
      entries.map((entry) => ({ ...entry, payload: new Uint8Array(entry.payload) })),
    );
  });

  test("every cut is malformed", () => {
    for (let length = 0; length < bytes.length; length += 1)
      expect(decodeBatch(sealed(bytes.subarray(0, length))).kind, `${length} bytes`).toBe("malformed");
  });

  test("its entries are unknown records to version 1", () => {
    const older = Buffer.from(bytes);
    older[1] = 1;
    expect(decodeBatch(sealed(older))).toMatchObject({ detail: expect.stringContaining("unknown record 8") });
  });
});

/** Every byte of version 3: it is version 2, and the fourth byte may be other than 0. */
const bytesOfVersion3 = [
  "c5 03 00 02", // magic, version, at least once, the second environment
  "8e6d765d", // checksum
  "0001", // entries
  "80 00000002 7b7d", // payload 0
  "81 00 000b 636f6d2e6578616d706c65 0005 616c657274", // settings 0
  "08 01 aa 010203040506",
];

describe("version 3", () => {
  const bytes = Buffer.from(bytesOfVersion3.join("").replaceAll(" ", ""), "hex");
  const one: BatchEntry = { deviceToken: "aa", payload: Buffer.from("{}"), settings };
  const entry: BatchEntry = { ...one, registeredAtMs: 0x010203040506 };

  function written(choice: "fixed" | "open" | "second", given = entry): Buffer {
    const encoder = new BatchEncoder("at-least-once", choice);
    encoder.add(given.deviceToken, given);
    return Buffer.from(encoder.finish());
  }

  test("is written where another environment may be tried, byte by byte, and read again", () => {
    expect(written("second").toString("hex")).toBe(bytes.toString("hex"));
    expect(decode(bytes).environmentChoice).toBe("second");
    expect(decode(written("open", one)).environmentChoice).toBe("open");
    expect(written("open", one)[1]).toBe(3);
  });

  test("is not written where the environment is fixed", () => {
    expect(written("fixed", one)[1]).toBe(1);
    expect(decode(written("fixed", one)).environmentChoice).toBe("fixed");
  });

  test("a choice that nobody knows, or that an older version has, is malformed", () => {
    const unknown = Buffer.from(bytes);
    unknown[3] = 3;
    expect(decodeBatch(sealed(unknown))).toMatchObject({ detail: "choice of the environment 3" });
    const older = Buffer.from(bytes);
    older[1] = 2;
    expect(decodeBatch(sealed(older))).toMatchObject({ detail: "choice of the environment 2" });
  });
});

describe("any batch", () => {
  const hex = (bytes: number) =>
    fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((each) => Buffer.from(each).toString("hex"));
  const uuid = hex(16).map(
    (id) => `${id.slice(0, 8)}-${id.slice(8, 12)}-${id.slice(12, 16)}-${id.slice(16, 20)}-${id.slice(20)}`,
  );
  const text = fc.string({ unit: "grapheme", maxLength: 30 });
  const u48 = fc.maxSafeNat().map((value) => value % 2 ** 48);
  const entry: fc.Arbitrary<BatchEntry> = fc.record(
    {
      deviceToken: fc.integer({ min: 1, max: 100 }).chain(hex),
      // Few different ones, so that some come back.
      payload: fc.oneof(
        fc.constantFrom(...["{}", "[]", "1"].map(Buffer.from)),
        fc.uint8Array({ maxLength: 400 }),
      ),
      settings: fc.oneof(
        fc.constantFrom(settings, { ...settings, priority: 10 } as const),
        fc.record(
          {
            topic: text,
            pushType: text.filter((each) => each !== ""),
            priority: fc.constantFrom(10, 5, 1),
            expirationSeconds: u48,
            collapseId: text,
          },
          { requiredKeys: ["topic"] },
        ),
      ),
      reference: text,
      apnsId: uuid,
      origin: fc.record({
        id: uuid,
        attempts: fc.integer({ min: 1, max: 65_535 }),
        doubt: fc.boolean(),
        sinceMs: u48,
      }),
      registeredAtMs: u48,
    },
    { requiredKeys: ["deviceToken", "payload", "settings"] },
  );

  test("comes back as it was written", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), fc.boolean(), (entries, once) => {
        const delivery = once ? "at-most-once" : "at-least-once";
        const body = encode(entries, delivery);
        expect(decode(body).delivery).toBe(delivery);
        expect(entriesOf(body)).toEqual(
          entries.map((each) => ({ ...each, payload: new Uint8Array(each.payload) })),
        );
      }),
    );
  });

  test("with anything changed in its records is malformed or another batch, never an exception", () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 10 }), damage, (entries, changes) => {
        const bytes = Buffer.from(encode(entries));
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const decoded = decodeBatch(sealed(bytes));
        if (decoded.kind === "decoded") entriesOf(sealed(bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  test("of arbitrary bytes is malformed or a batch, never an exception", () => {
    const header = Buffer.from([0xc5, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeBatch(bytes);
        const decoded = decodeBatch(sealed(Buffer.concat([header, bytes])));
        if (decoded.kind === "decoded") expect(decoded.batch.count).toBe(0);
      }),
      { numRuns: 1_000 },
    );
  });
});

test("what many recipients share stands once, and costs an entry nothing", () => {
  const payload = Buffer.alloc(4_000, "x");
  const entries = Array.from({ length: 1_000 }, (_, index) => ({
    // An equal copy each, as if it had been parsed anew.
    ...{
      deviceToken: index.toString(16).padStart(64, "0"),
      payload: Buffer.from(payload),
      settings: { ...settings },
    },
  }));
  const body = encode(entries);
  expect(body.byteLength).toBeLessThan(4_000 + 1_000 * 34 + 100);
  expect(decode(body).entry(0).payload.buffer).toBe(body.buffer);
});

test("two payloads that alternate stand once each", () => {
  const payloads = [Buffer.alloc(1_000, "a"), Buffer.alloc(1_000, "b")];
  const entries = Array.from({ length: 100 }, (_, index) => ({
    ...{ deviceToken: "aa", payload: payloads[index % 2] ?? Buffer.of(), settings },
  }));
  expect(encode(entries).byteLength).toBeLessThan(2_000 + 100 * 6 + 100);
});

test("is full with 1,000 notifications, or with 256 KiB", () => {
  const byCount = new BatchEncoder("at-least-once");
  while (!byCount.isFull) byCount.add(plain.deviceToken, plain);
  expect(byCount.count).toBe(maxBatchCount);
  const bySize = new BatchEncoder("at-least-once");
  for (let index = 0; !bySize.isFull; index += 1)
    bySize.add("aa", { ...plain, payload: Buffer.alloc(4_096, String(index)) });
  expect(bySize.byteLength).toBeGreaterThanOrEqual(fullBatchBytes);
  expect(bySize.byteLength).toBeLessThan(fullBatchBytes + 4_200);
  expect(bySize.count).toBe(64);
  decode(bySize.finish());
});

test("a batch of more than 1,000 is refused in reading", () => {
  const encoder = new BatchEncoder("at-least-once");
  for (let place = 0; place <= maxBatchCount; place += 1) encoder.add(plain.deviceToken, plain);
  expect(decodeBatch(encoder.finish())).toMatchObject({ kind: "malformed", detail: /too many entries/ });
});

test("counts attempts up to 65,535 and no further", () => {
  const origin = { id: full.apnsId ?? "", attempts: 70_000, doubt: false, sinceMs: 1 };
  expect(entriesOf(encode([{ ...plain, origin }]))[0]?.origin?.attempts).toBe(65_535);
});
