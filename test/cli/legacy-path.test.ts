/** The way of docs/guides/binary-protocol.md: doctor, serve, a push over the bridge, feedback; all by the command line. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startSimulator } from "@carillon/simulator";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { carillon, cleanUp, makeFolder, start } from "../support/command-line.ts";
import { deviceToken } from "../support/sending.ts";

afterEach(cleanUp);

test("an old sender's certificate is looked at, pushes over the bridge and reads its feedback", async () => {
  const folder = makeFolder();
  const apple = await startSimulator({ dir: join(folder, "apple") });
  onTestFinished(() => apple.close());
  const gone = deviceToken(0xdead);
  apple.devices.unregister(gone, Date.now());
  const { keyId, teamId } = apple.credentials.token;
  writeFileSync(
    join(folder, "carillon.yaml"),
    `listen: { port: 0 }
binary: { port: 0, feedbackPort: 0, cert: apple/server.pem, key: apple/server-key.pem, clientCa: apple/ca.pem }
apps:
  - name: demo
    topic: ${apple.topic}
    environment: sandbox
    endpoint: ${apple.endpoint}
    ca: apple/ca.pem
    credentials: { token: { keyFile: apple/AuthKey_${keyId}.p8, keyId: ${keyId}, teamId: ${teamId} } }
`,
  );
  const run = (...words: string[]) => carillon(words, { folder });
  const looked = await run("doctor", "--cert", "apple/client.pem", "--connect");
  expect(looked).toMatchObject({ status: 0, stdout: expect.stringContaining("is taken for the app demo") });

  const server = start(["serve"], { folder });
  await server.untilPrinted(/carillon is listening/);
  const ports = (): RegExpExecArray | null => /"port":(\d+),"feedbackPort":(\d+)/.exec(server.stderr);
  while (ports() === null) await once(server.child.stderr ?? server.child, "data");
  const [, port, feedbackPort] = ports() ?? [];
  const identity = [
    "--ca",
    "apple/ca.pem",
    "--cert",
    "apple/client.pem",
    "--cert-key",
    "apple/client-key.pem",
  ];
  const to = ["--to", deviceToken(1), "--to", gone, "--alert", "Hello"];
  const sent = await run("send", "--binary", `localhost:${port}`, ...identity, ...to);
  expect(sent).toMatchObject({ status: 0, stdout: expect.stringMatching(/^accepted .*\naccepted /) });
  await apple.history.waitFor({ deviceToken: gone });

  const beside = await run("doctor");
  expect(beside).toMatchObject({ status: 0, stdout: expect.stringContaining("a gateway runs on it") });
  const read = ["feedback", "--binary", `localhost:${feedbackPort}`, ...identity, "--json"];
  let told = await run(...read);
  // The verdict is on disk a moment after Apple's answer.
  for (let turn = 0; told.stdout === "" && turn < 20; turn += 1) told = await run(...read);
  expect(JSON.parse(told.stdout)).toMatchObject({ token: gone });
  server.signal("SIGTERM");
  await server.ended();
});
