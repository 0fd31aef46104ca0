import { createSocket } from "node:dgram";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { dnsResolver } from "./receiver-names.ts";

/** Addresses by name and type, `"hooks.example.com A"`; absent: there is no such name. */
type Zone = Readonly<Record<string, readonly number[][] | "fails" | "is silent">>;

/** A name server (RFC 1035, section 4.1) on 127.0.0.1 that knows so much. */
async function serve(zone: Zone): Promise<{ server: string; asked: string[] }> {
  const asked: string[] = [];
  const socket = createSocket("udp4", (query, from) => {
    const { name, type, end } = readQuestion(query);
    const question = `${name} ${type === 28 ? "AAAA" : "A"}`;
    asked.push(question);
    const known = zone[question] ?? [];
    if (known === "is silent") return;
    const hasName = Object.keys(zone).some((each) => each.startsWith(`${name} `));
    const code = known === "fails" ? 2 : hasName ? 0 : 3;
    const records = known === "fails" ? [] : known;
    const header = Buffer.from([
      ...query.subarray(0, 2),
      0x81,
      0x80 | code,
      0,
      1,
      0,
      records.length,
      0,
      0,
      0,
      0,
    ]);
    const answers = records.map((bytes) =>
      Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 9, 0, bytes.length, ...bytes]),
    );
    socket.send(Buffer.concat([header, query.subarray(12, end), ...answers]), from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  onTestFinished(() => void socket.close());
  return { server: `127.0.0.1:${socket.address().port}`, asked };
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join("."), type: query.readUInt16BE(at + 1), end: at + 5 };
}

const v6 = [0x26, 0x06, 0x47, 0, ...Array<number>(11).fill(0), 1];

test("all addresses of a name are found, of both families", async () => {
  const zone = {
    "hooks.example.com A": [
      [1, 1, 1, 1],
      [10, 0, 0, 1],
    ],
    "hooks.example.com AAAA": [v6],
  };
  const { server } = await serve(zone);
  const found = await dnsResolver([server])("hooks.example.com");
  expect([...found].sort()).toEqual(["1.1.1.1", "10.0.0.1", "2606:4700::1"]);
});

test("each look-up asks anew", async () => {
  const { server, asked } = await serve({ "hooks.example.com A": [[1, 1, 1, 1]] });
  const resolve = dnsResolver([server]);
  await resolve("hooks.example.com");
  await resolve("hooks.example.com");
  expect(asked.filter((question) => question.endsWith(" A"))).toHaveLength(2);
});

test("a name with addresses of one family alone is found", async () => {
  const { server } = await serve({ "hooks.example.com AAAA": [v6] });
  expect(await dnsResolver([server])("hooks.example.com")).toEqual(["2606:4700::1"]);
});

test("a name that there is not, and a server that fails, are told apart", async () => {
  const { server } = await serve({ "broken.example.com A": "fails", "broken.example.com AAAA": "fails" });
  await expect(dnsResolver([server])("nobody.example.com")).rejects.toMatchObject({ code: "ENOTFOUND" });
  await expect(dnsResolver([server])("broken.example.com")).rejects.toMatchObject({ code: "ESERVFAIL" });
});

test.each(["localhost", "LOCALHOST", "hooks.localhost", "localhost."])(
  "%s is this machine, and nobody is asked",
  async (name) => {
    const { server, asked } = await serve({});
    expect(await dnsResolver([server])(name)).toEqual(["127.0.0.1"]);
    expect(asked).toEqual([]);
  },
);
