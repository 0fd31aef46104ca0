import { expect, test } from "vitest";
import { checkRequestFields, checkTrailerFields } from "./request-fields.ts";

const pseudo = [":method", "POST", ":scheme", "https", ":path", "/3/device/aa", ":authority", "localhost"];

test("an ordinary request passes, and its content length is read", () => {
  expect(checkRequestFields(pseudo)).toEqual({ kind: "valid", contentLength: undefined });
  expect(checkRequestFields([...pseudo, "content-length", "25"])).toEqual({
    kind: "valid",
    contentLength: 25,
  });
  expect(checkRequestFields([...pseudo, "content-length", "0", "content-length", "0"]).kind).toBe("valid");
});

test("what passed before in the same place passes again, and only that", () => {
  const passed = [...pseudo, "x", "1", "te", "trailers"];
  const check = (...regular: string[]): string =>
    checkRequestFields([...pseudo.slice(0, 6), ...regular], passed).kind;
  expect(check(":authority", "localhost", "x", "1", "te", "trailers")).toBe("valid");
  expect(check("x", "1", ":authority", "localhost")).toBe("malformed");
  // A pseudo-header field that stood there does not make one pass behind a regular field.
  const connect = [":method", "CONNECT", ":authority", "localhost", "x", "1", ":authority", "localhost"];
  expect(checkRequestFields(connect, passed).kind).toBe("malformed");
  expect(check(":authority", "localhost", "x", "1", "te", "gzip")).toBe("malformed");
  expect(check(":authority", "localhost", "x", "1\n", "te", "trailers")).toBe("malformed");
  expect(check(":authority", "localhost", "X", "1", "te", "trailers")).toBe("malformed");
});

test("a request may leave out :authority and name its host in a field", () => {
  const fields = [":method", "POST", ":scheme", "https", ":path", "/"];
  expect(checkRequestFields(fields).kind).toBe("valid");
  expect(checkRequestFields([...fields, "host", "localhost"]).kind).toBe("valid");
});

const without = (name: string): string[] => {
  const at = pseudo.indexOf(name);
  return [...pseudo.slice(0, at), ...pseudo.slice(at + 2)];
};

test.each<[string, readonly string[]]>([
  ["no fields at all", []],
  ["no :method", without(":method")],
  ["no :scheme", without(":scheme")],
  ["no :path", without(":path")],
  ["an empty :method", [...without(":method"), ":method", ""]],
  ["an empty :scheme", [...without(":scheme"), ":scheme", ""]],
  ["an empty :path", [...without(":path"), ":path", ""]],
  ["a :path without its slash", [...without(":path"), ":path", "3/device"]],
  ["* for a method other than OPTIONS", [...without(":path"), ":path", "*"]],
  ["a pseudo-header field twice", [...pseudo, ":path", "/"]],
  ["a response's pseudo-header field", [...pseudo, ":status", "200"]],
  ["an unknown pseudo-header field", [...pseudo, ":protocol", "websocket"]],
  ["a pseudo-header field behind a regular one", ["a", "b", ...pseudo]],
  ["CONNECT with a path", [":method", "CONNECT", ":authority", "localhost", ":path", "/"]],
  ["CONNECT without :authority", [":method", "CONNECT"]],
  ["an empty name", [...pseudo, "", "x"]],
  ["a name in upper case", [...pseudo, "Apns-Topic", "x"]],
  ["a name with a space", [...pseudo, "apns topic", "x"]],
  ["a name with a colon", [...pseudo, "apns:topic", "x"]],
  ["a name beyond ASCII", [...pseudo, "apns-t\u00f6pic", "x"]],
  ["a value with NUL", [...pseudo, "apns-topic", "a\0b"]],
  ["a value with CR", [...pseudo, "apns-topic", "a\rb"]],
  ["a value with LF", [...pseudo, "apns-topic", "a\nb"]],
  ["a value that begins with a space", [...pseudo, "apns-topic", " a"]],
  ["a value that ends with a tab", [...pseudo, "apns-topic", "a\t"]],
  ["a pseudo-header value with LF", [...without(":path"), ":path", "/a\nb"]],
  ["connection", [...pseudo, "connection", "close"]],
  ["keep-alive", [...pseudo, "keep-alive", "1"]],
  ["proxy-connection", [...pseudo, "proxy-connection", "close"]],
  ["transfer-encoding", [...pseudo, "transfer-encoding", "chunked"]],
  ["upgrade", [...pseudo, "upgrade", "h2c"]],
  ["te other than trailers", [...pseudo, "te", "gzip"]],
  ["host that differs from :authority", [...pseudo, "host", "example.com"]],
  ["two content lengths", [...pseudo, "content-length", "1", "content-length", "2"]],
  ["a negative content length", [...pseudo, "content-length", "-1"]],
  ["a content length with a sign", [...pseudo, "content-length", "+1"]],
  ["a list of content lengths", [...pseudo, "content-length", "1, 1"]],
  ["an endless content length", [...pseudo, "content-length", "9".repeat(16)]],
])("malformed: %s", (_, fields) => {
  expect(checkRequestFields(fields).kind).toBe("malformed");
});

test.each<[string, readonly string[]]>([
  ["te: trailers", [...pseudo, "te", "trailers"]],
  ["host in another case", [...pseudo, "host", "LOCALHOST"]],
  ["* for OPTIONS", [":method", "OPTIONS", ":scheme", "https", ":path", "*"]],
  ["CONNECT", [":method", "CONNECT", ":authority", "localhost:443"]],
  ["a value beyond ASCII", [...pseudo, "apns-topic", "\u00ff"]],
  ["an empty value", [...pseudo, "apns-topic", ""]],
])("well-formed: %s", (_, fields) => {
  expect(checkRequestFields(fields).kind).toBe("valid");
});

test("trailers are regular fields only", () => {
  expect(checkTrailerFields(["a", "b"]).kind).toBe("valid");
  expect(checkTrailerFields([":path", "/"]).kind).toBe("malformed");
});
