/** `carillon send --binary` as a person or a script runs it, against the simulator's binary gateway. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Simulator, type SimulatorOptions, startSimulator } from "@carillon/simulator";
import { afterAll, expect, test } from "vitest";
import { carillon, cleanUp, type Ended, makeFolder } from "../support/command-line.ts";
import { deviceToken } from "../support/sending.ts";

const simulators: Simulator[] = [];

afterAll(async () => {
  await cleanUp();
  for (const simulator of simulators.splice(0)) await simulator.close();
});

const [one, two] = [deviceToken(1), deviceToken(2)];
const bad = "dead".repeat(16);
const refuseDead = { when: { deviceToken: "dead*" }, do: { answer: { reason: "BadDeviceToken" } } } as const;

async function setUp(options: SimulatorOptions = {}) {
  const simulator = await startSimulator({ binaryPort: 0, ...options });
  simulators.push(simulator);
  const folder = makeFolder();
  const { cert, key } = simulator.credentials.certificate;
  writeFileSync(join(folder, "client.pem"), `${cert}\n${key}`);
  writeFileSync(join(folder, "ca.pem"), simulator.ca);
  const target = ["--binary", `localhost:${simulator.binaryPort}`, "--ca", "ca.pem"];
  const credential = ["--cert", "client.pem", "--cert-key", "client.pem"];
  const send = (words: readonly string[]): Promise<Ended> =>
    carillon(["send", ...target, ...credential, "--alert", "Hello", ...words], { folder });
  return { simulator, send };
}

test("accepted is proved: status 0, and the gateway took it as it was meant", async () => {
  const { simulator, send } = await setUp();
  const ended = await send(["--to", one, "--ttl", "0", "--priority", "5"]);
  expect(ended).toMatchObject({ status: 0, stderr: "" });
  expect(ended.stdout).toBe(
    `accepted     ${one.slice(0, 8)}…  proved by what the gateway said of a later one\n`,
  );
  expect(simulator.history.pushes[0]).toMatchObject({
    ...{ protocol: "binary", deviceToken: one, status: 200 },
    headers: { "apns-expiration": "0", "apns-priority": "5" },
  });
});

test("one of three is rejected: status 1, the others arrive once; --json has a line each", async () => {
  const { simulator, send } = await setUp({ scenario: { rules: refuseDead } });
  const { status, stdout } = await send(["--to", one, "--to", bad, "--to", two, "--json"]);
  expect(status).toBe(1);
  const records = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { to: string });
  expect(records.sort((a, b) => a.to.localeCompare(b.to))).toMatchObject([
    { to: one, outcome: "accepted" },
    { to: two, outcome: "accepted" },
    { to: bad, outcome: "rejected", reason: "BadDeviceToken", detail: "status 8: invalid token" },
  ]);
  for (const record of records) expect(record).not.toHaveProperty("apnsId");
  expect([...simulator.history.countByDeviceToken({ status: 200 }).values()]).toEqual([1, 1]);
});

test.each([
  ["a connection that is cut", { do: { close: { how: "rst" } } }],
  ["a black hole", { on: "open", do: "stall" }],
] as const)("%s is unknown, never `not sent`: status 3", async (_, rule) => {
  const { send } = await setUp({ scenario: { rules: rule } });
  const { status, stdout } = await send(["--to", one, "--timeout", "6"]);
  expect(status).toBe(3);
  expect(stdout).toMatch(/^unknown .* sent, and no answer came: /);
  expect(stdout).not.toContain("--collapse-id");
});

test("nobody there is unreachable: status 3", async () => {
  const { simulator, send } = await setUp();
  await simulator.close();
  const { status, stdout } = await send(["--to", one, "--attempts", "1"]);
  expect(status).toBe(3);
  expect(stdout).toMatch(/^unreachable .* nothing was sent$/m);
});

test("what the protocol has no place for is refused, all at once: status 2", async () => {
  const { send } = await setUp();
  const none = [
    "--topic",
    "a.b",
    "--push-type",
    "alert",
    "--collapse-id",
    "x",
    "--sandbox",
    "--priority",
    "1",
  ];
  const { status, stderr } = await send(["--to", one, ...none]);
  expect(status).toBe(2);
  for (const flag of ["--topic", "--push-type", "--collapse-id", "--sandbox", "--priority"])
    expect(stderr).toMatch(new RegExp(`^  ${flag} .*--binary`, "m"));
  const wrong = await carillon(["send", "--binary", "localhost", "--to", one, "--alert", "x"]);
  expect(wrong.stderr).toContain("--binary must be HOST:PORT");
});
