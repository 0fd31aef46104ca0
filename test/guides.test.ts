import { afterEach, expect, test } from "vitest";
import { ChannelService } from "./support/channel-service.ts";
import { type Library, readGuide, run, typeCheck } from "./support/guide-code.ts";
import { type PeerRequest, RawPeer } from "./support/raw-peer.ts";

const guides = [
  { page: "packages/apns/README.md", libraries: ["@carillon/apns"] },
  { page: "docs/guides/client.md", libraries: ["@carillon/apns"] },
  { page: "docs/guides/migrate-from-node-apn.md", libraries: ["@parse/node-apn", "@carillon/apns"] },
  { page: "docs/guides/migrate-from-apns2.md", libraries: ["apns2", "@carillon/apns"] },
] as const satisfies readonly { page: string; libraries: readonly Library[] }[];

/** Compilers and processes are started here, on machines that may be busy. */
const deadlineMs = 120_000;

let peer: RawPeer | undefined;

afterEach(async () => peer?.close());

/** What a page's code sends, and what it prints. Device tokens that begin with "dead" are gone. */
async function perform(page: string, library: Library) {
  const requests: PeerRequest[] = [];
  const channels = new ChannelService();
  peer = await RawPeer.start({
    onRequest: (request) => {
      requests.push(request);
      const { connection, deviceToken, headers } = request;
      if (headers.get(":path")?.startsWith("/1/")) channels.answer(request);
      else if (deviceToken.startsWith("dead"))
        connection.answer(request, 410, { reason: "Unregistered", timestamp: 1_700_000_000_123 });
      else connection.answer(request);
    },
  });
  const printed = await run(await readGuide(page, library), library, peer);
  await peer.close();
  return { requests, printed };
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
    expect(requests.filter(({ headers }) => !headers.get(":path")?.startsWith("/1/"))).toHaveLength(pushes);
  },
  deadlineMs,
);

/** What Apple would see of a request, whatever library wrote it. */
function essence({ headers, body }: PeerRequest) {
  const names = ["apns-topic", "apns-push-type", "apns-expiration", "apns-collapse-id", "apns-channel-id"];
  return {
    request: `${headers.get(":method")} ${headers.get(":path")}`,
    priority: headers.get("apns-priority") ?? "10",
    ...Object.fromEntries(names.map((name) => [name, headers.get(name)])),
    body: body.length === 0 ? undefined : JSON.parse(body.toString()),
  };
}

const inOrder = (requests: readonly PeerRequest[]) =>
  requests.map(essence).sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));

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
