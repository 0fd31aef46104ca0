import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Push, type ScenarioDocument, startSimulator } from "@carillon/simulator";
import { afterEach, expect, test } from "vitest";
import { type Library, readGuide, run, typeCheck } from "./support/guide-code.ts";
import { providerKey } from "./support/sending.ts";

const guides = [
  { page: "packages/apns/README.md", libraries: ["@carillon/apns"] },
  { page: "docs/guides/client.md", libraries: ["@carillon/apns"] },
  { page: "docs/guides/migrate-from-node-apn.md", libraries: ["@parse/node-apn", "@carillon/apns"] },
  { page: "docs/guides/migrate-from-apns2.md", libraries: ["apns2", "@carillon/apns"] },
] as const satisfies readonly { page: string; libraries: readonly Library[] }[];

/** Compilers and processes are started here, on machines that may be busy. */
const deadlineMs = 120_000;

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Device tokens that begin with "dead" are gone. */
const scenario: ScenarioDocument = {
  rules: {
    when: { deviceToken: "dead*" },
    do: { answer: { reason: "Unregistered", timestamp: 1_700_000_000_123 } },
  },
};

/** What a page's code sends to the simulator, and what it prints. Every page signs in with the key of Apple's samples. */
async function perform(page: string, library: Library) {
  const dir = mkdtempSync(join(tmpdir(), "carillon-guide-"));
  closers.push(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, "simulator.json"), '{"keyId":"ABC123DEFG","teamId":"DEF123GHIJ"}');
  writeFileSync(join(dir, "AuthKey_ABC123DEFG.p8"), providerKey);
  const simulator = await startSimulator({ dir, scenario });
  closers.push(() => simulator.close());
  const printed = await run(await readGuide(page, library), library, dir, simulator);
  await simulator.close();
  return { requests: simulator.history.find({ kind: "any" }), printed };
}

test(
  "the code of every guide is right TypeScript, the old libraries' too",
  async () => {
    const modules = new Map<string, string>();
    for (const { page, libraries } of guides)
      for (const library of libraries) modules.set(`${page} ${library}`, await readGuide(page, library));
    expect(typeCheck(modules)).toEqual([]);
    expect(typeCheck(new Map([["wrong", "const text: string = 5;"]]))).toHaveLength(1);
  },
  deadlineMs,
);

test.each([
  ["packages/apns/README.md", 1, /^accepted [0-9a-f-]{36}$/m],
  ["docs/guides/client.md", 111, /^100 accepted$/m],
])(
  "the code of %s runs, and every push of it is accepted",
  async (page, pushes, words) => {
    const { requests, printed } = await perform(page, "@carillon/apns");
    expect(printed).toMatch(words);
    expect(printed).not.toMatch(/reject|unproc|indeter|unrecog/);
    expect(requests.filter(({ kind }) => kind !== "channels")).toHaveLength(pushes);
  },
  deadlineMs,
);

/** What Apple would see of a request, whatever library wrote it. */
function essence({ headers, payload }: Push, channelIds: readonly (string | undefined)[]) {
  const names = ["apns-topic", "apns-push-type", "apns-expiration", "apns-collapse-id"];
  return {
    request: `${headers[":method"]} ${headers[":path"]}`,
    priority: headers["apns-priority"] ?? "10",
    ...Object.fromEntries(names.map((name) => [name, headers[name]])),
    // Ids are new each time: which of them it is, is all that can be the same.
    channel: channelIds.indexOf(headers["apns-channel-id"]),
    body: payload.length === 0 ? undefined : JSON.parse(payload.toString()),
  };
}

const inOrder = (requests: readonly Push[]) => {
  const channelIds = [...new Set(requests.map(({ headers }) => headers["apns-channel-id"]))];
  const all = requests.map((request) => essence(request, channelIds));
  return all.sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
};

test.each([
  ["docs/guides/migrate-from-node-apn.md", "@parse/node-apn", 7],
  ["docs/guides/migrate-from-apns2.md", "apns2", 5],
] as const)(
  "in %s the old calls and the new ones ask Apple for the same",
  async (page, old, count) => {
    const before = await perform(page, old);
    const after = await perform(page, "@carillon/apns");
    expect(inOrder(after.requests)).toEqual(inOrder(before.requests));
    expect(after.requests).toHaveLength(count);
    if (old === "apns2")
      for (const { printed } of [before, after]) expect(printed).toMatch(/gone since 1700000000123/);
  },
  deadlineMs,
);
