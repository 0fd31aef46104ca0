/** From a push to the sender's own server, through the gateway as it is started. */
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
