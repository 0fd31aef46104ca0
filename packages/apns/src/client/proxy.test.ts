import { expect, test } from "vitest";
import { parseProxy } from "./proxy.ts";

test.each([
  ["http://proxy:3128", { host: "proxy", port: 3128, authorization: undefined }],
  ["http://proxy", { host: "proxy", port: 80, authorization: undefined }],
  ["http://[::1]:3128/", { host: "::1", port: 3128, authorization: undefined }],
  ["http://a:b%40c@proxy:1", { host: "proxy", port: 1, authorization: `Basic ${btoa("a:b@c")}` }],
  ["http://a@proxy:1", { host: "proxy", port: 1, authorization: `Basic ${btoa("a:")}` }],
])("%s is a proxy", (text, proxy) => {
  expect(parseProxy(text)).toEqual(proxy);
});

test.each([
  "",
  "proxy:3128",
  "https://proxy",
  "socks5://proxy",
  "http://proxy/path",
  "http://a:%ff@proxy",
  5,
  null,
])("%j is none", (text) => {
  expect(parseProxy(text)).toBeUndefined();
});
