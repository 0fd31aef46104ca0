import fc from "fast-check";
import { expect, test } from "vitest";
import { scanJson } from "./json-scanner.ts";

function scan(text: string) {
  return scanJson(Buffer.from(text));
}

function faultOf(text: string) {
  const result = scan(text);
  return result.kind === "refused" ? result.fault : undefined;
}

test("gives the payload as it was written, spaces, escapes and number forms included", () => {
  const payload = '{ "aps" : {"alert":"Gr\\u00fc\\u00dfe 🔔"},\n "n": 1.50e+2, "big": 12345678901234567890 }';
  const body = Buffer.from(`{"to":{"token":"aa"},"payload": ${payload} ,"reference":"ü"}`);
  const result = scanJson(body);
  if (result.kind === "refused") throw new Error(result.fault.detail);
  const { payload: span } = result.json;
  expect(body.subarray(span?.start, span?.end).toString()).toBe(payload);
});

test("finds the payload of each notification in a list, and none that stands deeper", () => {
  const body = Buffer.from(
    '{"notifications":[{"payload":{"a":1}},{"data":{"payload":0}},3,{"payload":[2]}],"x":{"payload":9}}',
  );
  const result = scanJson(body);
  if (result.kind === "refused") throw new Error(result.fault.detail);
  expect(result.json.payload).toBeUndefined();
  const texts = result.json.payloads.map((span) => span && body.subarray(span.start, span.end).toString());
  expect(texts).toEqual(['{"a":1}', undefined, undefined, "[2]"]);
});

test.each([
  ["", "line 1, column 1"],
  ['{"a":1,}', "line 1, column 8"],
  ['{\n  "ü": tru\n}', "line 2, column 8"],
  ["{'a':1}", "line 1, column 2"],
  ["{\"a\":'b'}", "double quotes"],
  ['{"a":1} x', "line 1, column 9"],
  ['{"a":01}', "line 1, column 6"],
  ['{"a":NaN}', "line 1, column 6"],
  ['{"a":1 "b":2}', "comma"],
  ['{"a" 1}', "colon"],
  ['{"a":"b', "no closing quote"],
  ['{"a":"b\nc"}', "control character"],
  ['{"a":"\\x"}', "escape"],
  ["[1,2", "closing bracket"],
  ['{"a":1} // b', "nothing more"],
  ["\ufeff{}", "byte order mark"],
])("says what is wrong with %j, and where", (text, words) => {
  expect(faultOf(text)?.detail).toContain(words);
});

test.each([
  ['{"a":{"b":1,"b":2}}', "/a/b", "twice"],
  ['{"a":{"b":1,"\\u0062":2}}', "/a/b", "twice"],
  ['{"data":{"__proto__":{}}}', "/data/__proto__", "another name"],
  ['{"constructor":{"prototype":{}}}', "/constructor/prototype", "another name"],
  ['{"a/b":["\\ud800"]}', "/a~1b/0", "surrogate"],
  ['{"a":"\\udc00\\ud800"}', "/a", "surrogate"],
  ['{"a":"\\ud800\\u0041"}', "/a", "surrogate"],
  ['{"badge":1e400}', "/badge", "too large"],
])("refuses %s with the pointer", (text, pointer, words) => {
  expect(faultOf(text)).toMatchObject({ pointer, detail: expect.stringContaining(words) });
});

test("takes 32 levels and refuses 33", () => {
  expect(faultOf(`${"[".repeat(32)}${"]".repeat(32)}`)).toBeUndefined();
  expect(faultOf(`${"[".repeat(33)}${"]".repeat(33)}`)?.detail).toContain("32 deep");
  expect(faultOf("[".repeat(1_000_000))?.detail).toContain("32 deep");
});

test("refuses an object of more than 1,000 keys before anyone hashes them all", () => {
  const object = (count: number) => `{${Array.from({ length: count }, (_, key) => `"${key}":0`).join(",")}}`;
  expect(faultOf(object(1_000))).toBeUndefined();
  expect(faultOf(object(1_001))?.detail).toContain("1000 keys");
});

test("takes a whole surrogate pair and an ordinary key named constructor", () => {
  expect(faultOf('{"a":"\\ud83d\\ude00","constructor":"Ferrari"}')).toBeUndefined();
});

test("takes exactly what JSON.parse takes, whatever JSON it is", () => {
  const tame = fc.json({ maxDepth: 5 }).filter((text) => !text.includes("__proto__"));
  fc.assert(
    fc.property(
      tame,
      fc.nat(),
      fc.constantFrom("", ",", '"', "}", "0", "\\", " ", "e", "-"),
      (text, at, put) => {
        const cut = at % (text.length + 1);
        const mutated = text.slice(0, cut) + put + text.slice(cut + 1);
        for (const each of [text, mutated]) {
          if (!parses(each)) expect(scan(each).kind).toBe("refused");
          else if (scan(each).kind === "refused") expect(faultOf(each)?.detail).not.toContain("not JSON");
        }
      },
    ),
    { numRuns: 3_000 },
  );
});

test("ends on arbitrary bytes without throwing", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void scanJson(Buffer.from(bytes))));
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
