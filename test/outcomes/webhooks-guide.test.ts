/** The code of docs/guides/webhooks.md, on what the gateway really signs. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import ts from "typescript";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  openTestWebhooks,
  type TestWebhooks,
} from "../../packages/gateway/src/outcomes/webhooks/webhooks.test-support.ts";
import { hasCommand } from "../support/command.ts";
import { typeCheck } from "../support/guide-code.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const text = readFileSync(join(root, "docs/guides/webhooks.md"), "utf8");
const blocksOf = (language: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))].map((match) => match[1] ?? "");
const [server = "", verifier = ""] = blocksOf("ts");
const [python = ""] = blocksOf("python");
const deadlineMs = 120_000;

const folder = mkdtempSync(join(tmpdir(), "carillon-guide-"));
let subject: TestWebhooks;

beforeAll(async () => {
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  subject = await openTestWebhooks();
});
afterAll(async () => {
  await subject.webhooks.stop(0);
  await subject.store.close();
  rmSync(folder, { recursive: true });
});

function writeModule(name: string, code: string): string {
  const file = join(folder, name);
  const options = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext };
  writeFileSync(file, ts.transpileModule(code, { compilerOptions: options }).outputText);
  return file;
}

/** One call as it comes from the gateway. */
async function receive(): Promise<{ secret: string; headers: Record<string, string>; body: string }> {
  const receiver = createServer();
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const { webhook, secret } = await subject.webhooks.create({ url });
  const called = once(receiver, "request");
  subject.events.append("token.gone", { text: "grüße" });
  const [request, response] = await called;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  response.writeHead(204).end();
  await subject.webhooks.delete(webhook.id);
  receiver.close();
  return { secret, headers: request.headers, body: Buffer.concat(chunks).toString() };
}

/** What a verifier must say yes to, and what not. */
async function callsToJudge() {
  const { secret, headers, body } = await receive();
  const old = String(Number(headers["webhook-timestamp"]) - 3_600);
  return [
    { secret, headers, body, isGenuine: true },
    { secret, headers, body: body.replace("gone", "come"), isGenuine: false },
    { secret: `whsec_${Buffer.alloc(32).toString("base64")}`, headers, body, isGenuine: false },
    { secret, headers: { ...headers, "webhook-timestamp": old }, body, isGenuine: false },
    { secret, headers: { ...headers, "webhook-signature": "v1,AAAA" }, body, isGenuine: false },
    {
      secret,
      headers: { ...headers, "webhook-signature": `v1,AAAA ${headers["webhook-signature"]}` },
      body,
      isGenuine: true,
    },
  ];
}

test(
  "the guide's TypeScript is right",
  () => {
    expect(
      typeCheck(
        new Map([
          ["server", server],
          ["verifier", verifier],
        ]),
      ),
    ).toEqual([]);
  },
  deadlineMs,
);

test(
  "the guide's server takes what the gateway sends, tells each event once, and refuses others",
  async () => {
    const { webhook, secret } = await subject.webhooks.create({ url: "http://receiver.example.com:1/" });
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as AddressInfo;
    probe.close();
    const child = spawn(process.execPath, [writeModule("server.mjs", server)], {
      env: { ...process.env, PORT: String(port), CARILLON_WEBHOOK_SECRET: secret },
    });
    try {
      let printed = "";
      const until = (words: string): Promise<void> =>
        new Promise((resolve) => {
          const look = (): void => {
            if (printed.includes(words)) resolve();
          };
          child.stdout.on("data", look);
          look();
        });
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        printed += chunk;
      });
      await until("listening");
      await subject.webhooks.update(webhook.id, { url: `http://127.0.0.1:${port}/` });
      subject.events.append("token.gone", { n: 1 });
      await until('token.gone demo {"n":1}');
      expect(await subject.webhooks.ping(webhook.id)).toMatchObject({ isDelivered: true });
      const forged = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: '{"items":[]}' });
      expect(forged.status).toBe(401);
    } finally {
      child.kill();
      await subject.webhooks.delete(webhook.id);
    }
  },
  deadlineMs,
);

test(
  "the guide's verifier without a library tells genuine calls from others",
  async () => {
    const { isFromCarillon } = await import(pathToFileURL(writeModule("verifier.mjs", verifier)).href);
    for (const { secret, headers, body, isGenuine } of await callsToJudge())
      expect(isFromCarillon(secret, headers, body)).toBe(isGenuine);
  },
  deadlineMs,
);

test.runIf(hasCommand("python3"))(
  "so does the one in Python",
  async () => {
    const calls = await callsToJudge();
    const driver = `
import json, sys
for call in json.load(open(sys.argv[1])):
    print(is_from_carillon(call["secret"], call["headers"], call["body"].encode()))
`;
    writeFileSync(join(folder, "verifier.py"), python + driver);
    writeFileSync(join(folder, "calls.json"), JSON.stringify(calls));
    const { stdout } = await promisify(execFile)("python3", [
      join(folder, "verifier.py"),
      join(folder, "calls.json"),
    ]);
    expect(stdout.trim().split("\n")).toEqual(calls.map(({ isGenuine }) => (isGenuine ? "True" : "False")));
  },
  deadlineMs,
);
