import { expect, test } from "vitest";
import { parseEndpoint } from "./endpoint.ts";

test.each([
  [{ environment: "production" }, "api.push.apple.com", 443, "api.push.apple.com"],
  [{ environment: "sandbox" }, "api.sandbox.push.apple.com", 443, "api.sandbox.push.apple.com"],
  [{ endpoint: "https://api.push.apple.com:2197" }, "api.push.apple.com", 2197, "api.push.apple.com:2197"],
  [{ environment: "production", port: 2197 }, "api.push.apple.com", 2197, "api.push.apple.com:2197"],
  [{ endpoint: "https://localhost:8443/" }, "localhost", 8443, "localhost:8443"],
  [{ endpoint: "https://[::1]:8443" }, "::1", 8443, "[::1]:8443"],
] as const)("%j leads to %s:%i", (options, host, port, authority) => {
  expect(parseEndpoint(options)).toEqual({ kind: "parsed", endpoint: { host, port, authority } });
});

test.each([
  {},
  { environment: "sandbox", endpoint: "https://localhost" },
  { environment: "sandbox", port: 8443 },
  { endpoint: "https://localhost", port: 2197 },
  { environment: "staging" },
  { environment: "constructor" },
  { endpoint: "localhost:8443" },
  { endpoint: "http://localhost" },
  { endpoint: "https://localhost/3/device" },
  { endpoint: "https://user:secret@localhost" },
])("%j is refused", (options) => {
  expect(parseEndpoint(options as Parameters<typeof parseEndpoint>[0]).kind).toBe("refused");
});
