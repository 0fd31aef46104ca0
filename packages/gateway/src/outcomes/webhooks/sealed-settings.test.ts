import { expect, onTestFinished, test } from "vitest";
import { TestReceiver } from "./receiver.test-support.ts";
import { isSecret } from "./signature.ts";
import { numbersOf, openTestWebhooks } from "./webhooks.test-support.ts";
import type { WebhooksOptions } from "./webhooks-options.ts";

/** Opens only what it sealed itself, under the same name. */
function sealerWith(key: string): WebhooksOptions["sealer"] {
  const front = (name: string): string => `${key}|${name}|`;
  return {
    seal: (secret, name) => front(name) + Buffer.from(secret).toString("hex"),
    unseal: (sealed, name) =>
      sealed.startsWith(front(name))
        ? Buffer.from(sealed.slice(front(name).length), "hex").toString()
        : undefined,
  };
}

const plain: WebhooksOptions["sealer"] = { seal: (secret) => secret, unseal: () => undefined };

async function open(sealer: WebhooksOptions["sealer"]) {
  const receiver = await TestReceiver.start();
  onTestFinished(() => receiver.close());
  const subject = await openTestWebhooks({ sealer });
  onTestFinished(() => subject.webhooks.stop(0));
  const stored = async (): Promise<string[]> => {
    const rows = await subject.store.listWebhooks();
    return rows.flatMap(({ settings }) =>
      (JSON.parse(settings) as { secrets: { secret: string }[] }).secrets.map(({ secret }) => secret),
    );
  };
  return { ...subject, subject, receiver, stored };
}

test("secrets lie sealed in the store, under the name of their endpoint, after each change too", async () => {
  const { webhooks, receiver, stored } = await open(sealerWith("k"));
  const { webhook, secret } = await webhooks.create({ url: receiver.urlFor("a.example") });
  expect(isSecret(secret)).toBe(true);
  expect(await stored()).toEqual([expect.stringMatching(`^k\\|webhook ${webhook.id}\\|`)]);
  await webhooks.rotate(webhook.id, 60_000);
  await webhooks.update(webhook.id, { description: "ours" });
  const both = await stored();
  expect(both).toHaveLength(2);
  expect(both.some(isSecret)).toBe(false);
});

test("what an older version stored unsealed is read, and sealed at the next start", async () => {
  const { subject, receiver, events, stored } = await open(plain);
  await subject.webhooks.create({ url: receiver.urlFor("a.example") });
  expect((await stored()).every(isSecret)).toBe(true);
  await subject.restart(sealerWith("k"));
  expect((await stored()).some(isSecret)).toBe(false);
  events.append("token.gone", { n: 1 });
  await receiver.received(1);
  await subject.restart(sealerWith("k"));
  events.append("token.gone", { n: 2 });
  await receiver.received(2);
});

test("with another key an endpoint stands still and says so, and goes on where it was when the key is back", async () => {
  const { subject, receiver, events, stored } = await open(sealerWith("right"));
  const { webhook } = await subject.webhooks.create({ url: receiver.urlFor("a.example") });
  events.append("token.gone", { n: 1 });
  const progress = async () => JSON.parse((await subject.store.listWebhooks())[0]?.progress ?? "{}");
  await expect.poll(async () => (await progress()).cursor, { timeout: 20_000 }).toBe("1");
  const before = await stored();
  await subject.restart(sealerWith("wrong"));
  events.append("token.gone", { n: 2 });
  expect(subject.webhooks.find(webhook.id).standing).toMatchObject({ kind: "disabled", cause: "sealed" });
  await expect(subject.webhooks.ping(webhook.id)).rejects.toThrow(/Put that key back .* or rotate/);
  // Another endpoint has heard of it, and this one not.
  const other = await TestReceiver.start();
  onTestFinished(() => other.close());
  const made = await subject.webhooks.create({ url: other.urlFor("b.example"), after: "1" });
  await other.received(1);
  await subject.webhooks.delete(made.webhook.id);
  await subject.webhooks.update(webhook.id, { description: "still here", enabled: true });
  expect([await stored(), receiver.calls.length]).toEqual([before, 1]);
  await subject.restart(sealerWith("right"));
  expect(subject.webhooks.find(webhook.id)).toMatchObject({
    description: "still here",
    standing: { kind: "well" },
  });
  await receiver.received(2);
  expect(numbersOf(receiver)).toEqual([[1], [2]]);
});

test("where the key is lost a rotation gives a new secret, and nothing that waited is missing", async () => {
  const { subject, receiver, events, stored } = await open(sealerWith("lost"));
  const { webhook } = await subject.webhooks.create({ url: receiver.urlFor("a.example") });
  await subject.restart(sealerWith("new"));
  events.append("token.gone", { n: 1 });
  await subject.webhooks.rotate(webhook.id, 60_000);
  await receiver.received(1);
  expect(receiver.calls[0]?.headers["webhook-signature"]).toMatch(/^v1,\S+$/);
  expect(await stored()).toEqual([expect.stringMatching(/^new\|/)]);
});
