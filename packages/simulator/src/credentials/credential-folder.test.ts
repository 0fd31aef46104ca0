import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openCredentialFolder, type StoredCredentials } from "./credential-folder.ts";

const dayMs = 86_400_000;
const nowMs = Date.now();
let dir = "";

beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), "carillon-credentials-")), "made", "here");
});
afterEach(() => rmSync(join(dir, "..", ".."), { recursive: true }));

function open(topic = "com.example.demo", atMs = nowMs): StoredCredentials {
  return openCredentialFolder(dir, topic, atMs);
}

const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

test("the first start makes everything, keys for their owner alone", () => {
  const { credentials, files, notices } = open();
  const keyFile = `AuthKey_${credentials.providerKey.keyId}.p8`;
  expect(notices).toEqual([]);
  expect(readdirSync(dir).sort()).toEqual(
    [
      keyFile,
      ...[
        "ca-key.pem",
        "ca.pem",
        "client-key.pem",
        "client.pem",
        "server-key.pem",
        "server.pem",
        "simulator.json",
      ],
    ].sort(),
  );
  expect(mode(dir)).toBe("700");
  for (const name of [keyFile, "ca-key.pem", "client-key.pem", "server-key.pem"]) {
    expect([name, mode(join(dir, name))]).toEqual([name, "600"]);
  }
  expect(readFileSync(files.ca, "utf8")).toBe(credentials.authority.cert);
  expect(readFileSync(files.key, "utf8")).toBe(credentials.providerKey.key);
  expect(readFileSync(files.cert, "utf8")).toBe(credentials.client.cert);
  expect(readFileSync(files.certKey, "utf8")).toBe(credentials.client.key);
});

test("the second start keeps everything", () => {
  const first = open();
  expect(open()).toEqual(first);
});

test.each([
  ["ca.pem", "The certificate authority", ["authority", "server", "client"]],
  ["ca-key.pem", "The certificate authority", ["authority", "server", "client"]],
  ["server.pem", "The server certificate", ["server"]],
  ["server-key.pem", "The server certificate", ["server"]],
  ["client.pem", "The client certificate", ["client"]],
  ["simulator.json", "The provider key", ["providerKey"]],
] as const)(
  "a damaged %s is replaced, with a notice, and with it what depends on it",
  (name, what, replaced) => {
    const before = open();
    for (const damage of ["", "damaged"]) {
      writeFileSync(join(dir, name), damage);
      const after = open();
      expect(after.notices[0]).toMatch(new RegExp(`^${what} was made anew: .+\\.$`));
      expect(after.notices).toHaveLength(replaced.length);
      for (const part of ["authority", "server", "client", "providerKey"] as const) {
        const isReplaced = (replaced as readonly string[]).includes(part);
        expect([part, after.credentials[part]]).toEqual([
          part,
          isReplaced ? expect.not.objectContaining(before.credentials[part]) : before.credentials[part],
        ]);
      }
      expect(open()).toEqual({ ...after, notices: [] });
    }
  },
);

test("a provider key that is gone is made anew; an old one is never deleted", () => {
  const before = open();
  writeFileSync(before.files.key, "damaged");
  const after = open();
  expect(after.notices).toEqual(["The provider key was made anew: its key is unreadable."]);
  expect(readFileSync(before.files.key, "utf8")).toBe("damaged");
  rmSync(after.files.key);
  expect(open().notices).toHaveLength(1);
});

test("a certificate without its key is replaced", () => {
  open();
  rmSync(join(dir, "client-key.pem"));
  expect(open().notices).toEqual(["The client certificate was made anew: it is unreadable."]);
});

test("another topic means another client certificate", () => {
  const before = open();
  const after = open("com.example.other");
  expect(after.notices).toEqual([
    "The client certificate was made anew: it is for com.example.demo, not for com.example.other.",
  ]);
  expect(after.credentials.authority).toEqual(before.credentials.authority);
});

test("certificates are replaced a day before they expire, the authority is kept", () => {
  const before = open();
  expect(open("com.example.demo", nowMs + 394 * dayMs).notices).toEqual([]);
  const after = open("com.example.demo", nowMs + 395.5 * dayMs);
  expect(after.notices).toHaveLength(2);
  expect(after.notices.join()).toMatch(/server certificate .*expires.*client certificate .*expires/);
  expect(after.credentials.authority).toEqual(before.credentials.authority);
});

test("a clock that went back makes new ones", () => {
  open();
  expect(open("com.example.demo", nowMs - 3 * dayMs).notices.join()).toMatch(
    /authority .* valid from .* only/,
  );
});

test("a folder with certificates of somebody else's is refused and left as it was", () => {
  open();
  rmSync(join(dir, "simulator.json"));
  const before = readdirSync(dir).map((name) => readFileSync(join(dir, name), "utf8"));
  expect(() => open()).toThrow(/was not made by a simulator .*give another folder/);
  expect(readdirSync(dir).map((name) => readFileSync(join(dir, name), "utf8"))).toEqual(before);
});

test("a path that is a file is refused", () => {
  open();
  expect(() => openCredentialFolder(join(dir, "ca.pem"), "com.example.demo", nowMs)).toThrow();
});

test("ids that lead out of the folder are not followed", () => {
  open();
  writeFileSync(join(dir, "simulator.json"), JSON.stringify({ keyId: "../../../x", teamId: "DEF123GHIJ" }));
  expect(open().notices).toEqual(["The provider key was made anew: its ids are not 10 characters each."]);
});
