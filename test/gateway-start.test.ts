import { once } from "node:events";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { startGateway } from "carillon";
import { expect, onTestFinished, test } from "vitest";
import { call, configFor, demoPath, openGateway, temporaryFolder } from "./support/gateways.ts";
import { deviceToken, providerKey, topic } from "./support/sending.ts";

/** Nobody listens there: what is sent stays queued. */
const app = {
  name: "demo",
  topic,
  environment: "sandbox",
  endpoint: "https://127.0.0.1:9",
  credentials: { kind: "token", key: providerKey, keyId: "START00001", teamId: "DEF123GHIJ" },
} as const;
const hello = { to: { token: deviceToken(1) }, alert: "Hello" };

test("the key file holds the bare key for its owner alone, and the next start keeps it", async () => {
  const config = configFor(temporaryFolder(), app);
  const first = await openGateway(config);
  expect(first.adminKeyFile).toBe(join(config.dataDir, "admin.key"));
  expect(readFileSync(first.adminKeyFile, "utf8")).toBe(first.adminKey);
  expect(statSync(first.adminKeyFile).mode & 0o777).toBe(0o600);
  await first.close();
  expect((await openGateway(config)).adminKey).toBe(first.adminKey);
});

test("a port that is taken is named, with the way out, and nothing is left running or made", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  onTestFinished(() => void other.close());
  const { port } = other.address() as { port: number };
  const dataDir = join(temporaryFolder(), "data");
  const config = { ...configFor(dataDir, app), listen: { host: "127.0.0.1", port } };
  const refusal = await startGateway({ config }).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ name: "GatewayStartError" });
  expect(String(refusal)).toMatch(new RegExp(`Port ${port} is taken.*CARILLON_LISTEN_PORT`));
  expect(existsSync(dataDir)).toBe(false);
});

test("an address that this machine has not is named", async () => {
  const config = { ...configFor(temporaryFolder(), app), listen: { host: "192.0.2.1", port: 0 } };
  await expect(startGateway({ config })).rejects.toThrow(/no address 192\.0\.2\.1.*CARILLON_LISTEN_HOST/);
});

test("a second gateway on the same folder refuses and leaves the first alone", async () => {
  const config = configFor(temporaryFolder(), app);
  const first = await openGateway(config);
  await expect(startGateway({ config })).rejects.toThrow(/Another carillon is running on this data folder/);
  expect((await call(first, demoPath, hello)).status).toBe(202);
});

test("a key file that holds no key stops the start", async () => {
  const config = configFor(temporaryFolder(), app);
  writeFileSync(join(config.dataDir, "admin.key"), "");
  await expect(startGateway({ config })).rejects.toThrow(/holds no key/);
});

test("credentials that cannot work stop the start before anything is made", async () => {
  const dataDir = join(temporaryFolder(), "data");
  const broken = { ...app, credentials: { ...app.credentials, key: "no key" } };
  await expect(startGateway({ config: configFor(dataDir, broken) })).rejects.toThrow(/key/);
  expect(existsSync(dataDir)).toBe(false);
});

test("close does not wait for an Apple that cannot be reached", async () => {
  const config = configFor(temporaryFolder(), app);
  const gateway = await openGateway(config);
  expect((await call(gateway, demoPath, hello)).status).toBe(202);
  await expect
    .poll(async () => (await call(gateway, "/readyz")).body.waiting.length, { timeout: 10_000 })
    .toBe(1);
  await gateway.close({ deadlineMs: 3_600_000 });
  expect((await call(await openGateway(config), "/readyz")).body.queued).toBe(1);
});

test("close answers those who wait, frees port and folder, and may be called twice", async () => {
  const config = configFor(temporaryFolder(), app);
  const gateway = await openGateway(config);
  const waiting = call(gateway, `${demoPath}?wait=30`, hello);
  await expect.poll(async () => (await call(gateway, "/readyz")).body.queued, { timeout: 10_000 }).toBe(1);
  const closed = gateway.close({ deadlineMs: 100 });
  expect(gateway.close()).toBe(closed);
  expect(await waiting).toMatchObject({ status: 200, body: { results: [{ status: "queued" }] } });
  await closed;
  await expect(call(gateway, "/healthz")).rejects.toThrow();
  const next = await openGateway(config);
  expect((await call(next, "/readyz")).body.queued).toBe(1);
});
