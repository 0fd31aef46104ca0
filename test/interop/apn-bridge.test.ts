/** The npm package apn 1.7.8, the last one that spoke the binary protocol, unchanged, through the bridge to today's HTTP/2. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openBridge } from "../support/bridges.ts";
import { runCommand } from "../support/command.ts";

const program = fileURLToPath(new URL("apn-program.js", import.meta.url));
const bad = [3, 500, 999];
const gone = 10;
/** By ordinals from 1: those that are bad begin with dead. */
const deviceTokens = Array.from({ length: 1000 }, (_, at) => {
  const ordinal = (at + 1).toString(16);
  return bad.includes(at + 1) ? `dead${ordinal.padStart(60, "0")}` : ordinal.padStart(64, "0");
});
const tokenOf = (ordinal: number): string => deviceTokens[ordinal - 1]!;

test("1,000 sends with bad tokens at 3, 500 and 999: Apple gets each good one once, and its events name the right ones", async () => {
  const refuseDead = {
    when: { deviceToken: "dead*" },
    do: { answer: { reason: "BadDeviceToken" } },
  } as const;
  const { apple, sender, feedbackReader } = await openBridge(
    { mode: "pass-through", minTls: "TLSv1" },
    { scenario: { rules: refuseDead } },
  );
  apple.devices.unregister(tokenOf(gone), 1_700_000_000_000);
  const { port, ca, cert, key } = sender;
  const sends = JSON.stringify({ port, feedbackPort: feedbackReader.port, ca, cert, key, deviceTokens });
  const flags = ["--tls-min-v1.0", "--no-deprecation"];
  const { stdout, stderr } = await runCommand(process.execPath, [...flags, program, sends]);
  expect(stderr).toBe("");
  const { transmitted, errors, feedback } = JSON.parse(stdout);
  expect(transmitted).toBe(1000);
  expect(errors.sort()).toEqual(bad.map((ordinal) => [8, tokenOf(ordinal)]).sort());
  expect(feedback).toEqual([[1_700_000_000, tokenOf(gone)]]);
  const good = deviceTokens.filter((each) => !each.startsWith("dead") && each !== tokenOf(gone));
  expect(apple.history.countByDeviceToken({ protocol: "http/2", status: 200 })).toEqual(
    new Map(good.map((each) => [each, 1])),
  );
});
