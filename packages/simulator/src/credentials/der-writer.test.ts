import { expect, test } from "vitest";
import {
  derBits,
  derBoolean,
  derInteger,
  derNull,
  derObjectIdentifier,
  derOctets,
  derSequence,
  derSet,
  derTagged,
  derTime,
  derUtf8,
} from "./der-writer.ts";

const hex = (bytes: Buffer): string => bytes.toString("hex");

test("values are written as X.690 prints them", () => {
  expect(hex(derNull())).toBe("0500");
  expect(hex(derBoolean(true))).toBe("0101ff");
  expect(hex(derBoolean(false))).toBe("010100");
  expect(hex(derUtf8("é"))).toBe("0c02c3a9");
  expect(hex(derOctets(Buffer.from([1, 2])))).toBe("04020102");
  expect(hex(derBits(Buffer.from([0x6e, 0x5d, 0xc0]), 6))).toBe("0304066e5dc0");
  expect(hex(derSequence(derNull(), derSet()))).toBe("300405003100");
  expect(hex(derTagged(3, derNull()))).toBe("a3020500");
});

test("an integer is as short as it may be and never looks negative", () => {
  expect(hex(derInteger(Buffer.from([0])))).toBe("020100");
  expect(hex(derInteger(Buffer.from([0, 0, 1])))).toBe("020101");
  expect(hex(derInteger(Buffer.from([0x80])))).toBe("02020080");
  expect(hex(derInteger(Buffer.from([0x7f, 0xff])))).toBe("02027fff");
});

test("lengths take the fewest bytes", () => {
  expect(hex(derOctets(Buffer.alloc(127)).subarray(0, 3))).toBe("047f00");
  expect(hex(derOctets(Buffer.alloc(128)).subarray(0, 3))).toBe("048180");
  expect(hex(derOctets(Buffer.alloc(256)).subarray(0, 4))).toBe("04820100");
  expect(hex(derOctets(Buffer.alloc(65_536)).subarray(0, 5))).toBe("0483010000");
});

test("object identifiers of Apple's and of X.509", () => {
  expect(hex(derObjectIdentifier("1.2.840.113549"))).toBe("06062a864886f70d");
  expect(hex(derObjectIdentifier("2.5.29.15"))).toBe("0603551d0f");
  expect(hex(derObjectIdentifier("2.999.3"))).toBe("0603883703");
  expect(hex(derObjectIdentifier("1.2.840.113635.100.6.3.6"))).toBe("060a2a864886f76364060306");
  expect(hex(derObjectIdentifier("0.9.2342.19200300.100.1.1"))).toBe("060a0992268993f22c640101");
});

test("a time is UTCTime to 2049 and GeneralizedTime from 2050 on", () => {
  expect(derTime(new Date("2049-12-31T23:59:59.999Z")).toString("latin1")).toBe("\x17\x0d491231235959Z");
  expect(derTime(new Date("2050-01-01T00:00:00Z")).toString("latin1")).toBe("\x18\x0f20500101000000Z");
});
