import { expect, test } from "vitest";
import { decodeGoaway, type Goaway, sumUpGoaways } from "./goaway.ts";

test("reads the GOAWAY that APNs sends for a certificate of the other environment", () => {
  const debug = '{"reason":"BadCertificateEnvironment"}';
  const payload = Buffer.concat([Buffer.alloc(8), Buffer.from(debug)]);
  expect(payload.length).toBe(46);
  expect(decodeGoaway(payload, 0, payload.length)).toEqual({
    lastStreamId: 0,
    code: 0,
    debug: Buffer.from(debug),
  });
});

test("ignores the reserved bit and copies the debug data", () => {
  const payload = Buffer.from("ffffffffffffffff61", "hex");
  const goaway = decodeGoaway(payload, 0, payload.length);
  payload.fill(0);
  expect(goaway).toEqual({ lastStreamId: 0x7fff_ffff, code: 0xffff_ffff, debug: Buffer.from("a") });
});

test("keeps the lowest id, the last error code and the first debug data", () => {
  const goaway = (lastStreamId: number, code: number, debug: string) => ({
    lastStreamId,
    code,
    debug: Buffer.from(debug),
  });
  const summed = [goaway(9, 2, ""), goaway(5, 0, "one"), goaway(7, 11, "two")].reduce<Goaway | undefined>(
    sumUpGoaways,
    undefined,
  );
  expect(summed).toEqual(goaway(5, 11, "one"));
});
