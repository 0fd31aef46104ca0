import { connectionPreface } from "@carillon/apns/http2";
import { expect, test } from "vitest";
import { Preface } from "./preface.ts";

test("is read at every split point, and what follows it is left", () => {
  const bytes = Buffer.from(`${connectionPreface}rest`, "latin1");
  for (let split = 1; split < connectionPreface.length; split++) {
    const preface = new Preface();
    expect(preface.receive(bytes.subarray(0, split))).toEqual({ kind: "need-more" });
    const bytesRead = connectionPreface.length - split;
    expect(preface.receive(bytes.subarray(split))).toEqual({ kind: "decoded", bytesRead });
  }
});

test("takes no byte more or less than RFC 9113 prints", () => {
  expect(Buffer.from(connectionPreface, "latin1").toString("hex")).toBe(
    "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a",
  );
  const bytes = Buffer.from(connectionPreface, "latin1");
  for (let at = 0; at < bytes.length; at++) {
    const wrong = Buffer.from(bytes);
    wrong[at] = wrong[at]! ^ 1;
    expect(new Preface().receive(wrong).kind).toBe("malformed");
  }
});

test("says which HTTP/1 request came instead, and nothing of its headers", () => {
  const request = "POST /3/device/abcd HTTP/1.1\r\nauthorization: bearer secret\r\n\r\n";
  expect(new Preface().receive(Buffer.from(request))).toEqual({
    kind: "malformed",
    detail: "Unexpected HTTP/1.x request: POST /3/device/abcd ",
  });
});

test("shows the first bytes of anything else", () => {
  const result = new Preface().receive(Buffer.alloc(100_000, 0x16));
  expect(result).toMatchObject({ kind: "malformed", detail: expect.stringContaining("16".repeat(24)) });
  expect(JSON.stringify(result).length).toBeLessThan(200);
});
