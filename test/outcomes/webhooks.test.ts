/** From a push to the sender's own server, through the gateway as it is started. */
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startSimulator } from "@carillon/simulator";
import { Webhook } from "standardwebhooks";
import { expect, onTestFinished, test } from "vitest";
import { TestReceiver } from "../../packages/gateway/src/outcomes/webhooks/receiver.test-support.ts";
import { appFor, call, configFor, demoPath, openGateway, temporaryFolder } from "../support/gateways.ts";
import { makeServerCertificate } from "../support/server-certificate.ts";

interface RunEvent {
  readonly type: string;
  readonly data: { readonly batch: string; readonly ids: readonly string[] };
}

test("what becomes of a notification is posted over TLS to the server that asked for it", async () => {
  const simulator = await startSimulator();
  onTestFinished(() => simulator.close());
  const { ca, ...tls } = await makeServerCertificate(["localhost"]);
  const receiver = await TestReceiver.start({ tls });
  onTestFinished(() => receiver.close());
  const gateway = await openGateway({
    ...configFor(temporaryFolder(), appFor(simulator)),
    webhooks: { allowPorts: [receiver.port], allowNetworks: ["127.0.0.1/32"], ca },
  });

  const made = await call(gateway, "/v1/webhooks", { url: receiver.urlFor("localhost"), app: "demo" });
  expect(made.status).toBe(201);
  const push = { to: { token: "ab".repeat(32) }, alert: "Hello" };
  const { results } = (await call(gateway, `${demoPath}?wait=20`, push)).body;
  expect(results[0].status).toBe("accepted");

  const [first] = await receiver.received(1);
  new Webhook(made.body.secret).verify(first?.text ?? "", first?.headers as Record<string, string>);
  const [event] = JSON.parse(first?.text ?? "").items as RunEvent[];
  expect(event?.type).toBe("notification.accepted");
  expect(`${event?.data.batch}${event?.data.ids[0]}`).toBe(results[0].id);
});

test("no secret lies in the data folder as it is, and a gateway without the key says what to do", async () => {
  const dataDir = temporaryFolder();
  const simulator = await startSimulator();
  onTestFinished(() => simulator.close());
  const config = configFor(dataDir, appFor(simulator));
  const first = await openGateway(config);
  const { body } = await call(first, "/v1/webhooks", { url: "https://hooks.example.com/carillon" });
  await first.close();
  const secret = Buffer.from(body.secret.slice("whsec_".length), "base64");
  const files = readdirSync(dataDir).filter((name) => statSync(join(dataDir, name)).isFile());
  expect(files).toEqual(expect.arrayContaining(["carillon.db", "webhooks.key"]));
  for (const name of files) {
    const bytes = readFileSync(join(dataDir, name));
    expect(bytes.includes("whsec_") || bytes.includes(secret), name).toBe(false);
  }
  rmSync(join(dataDir, "webhooks.key"));
  const second = await openGateway(config);
  const { items } = (await call(second, "/v1/webhooks")).body;
  expect(items).toMatchObject([{ id: body.id, status: "disabled", disabledBecause: "sealed" }]);
  const ping = await call(second, `/v1/webhooks/${body.id}/ping`, {});
  expect([ping.status, JSON.stringify(ping.body)]).toEqual([422, expect.stringMatching(/Put that key back/)]);
  expect((await call(second, `/v1/webhooks/${body.id}/rotate`, {})).body).toMatchObject({
    status: "enabled",
  });
  await second.close();

  writeFileSync(join(dataDir, "webhooks.key"), "nonsense");
  await expect(openGateway(config)).rejects.toThrow(/holds no key.*Put the file back/);
});
