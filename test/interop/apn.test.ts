/** The npm package apn 1.7.8, the last one that spoke the binary protocol, unchanged, against the simulator. */
import { fileURLToPath } from "node:url";
import { type Simulator, startSimulator } from "@carillon/simulator";
import { afterEach, expect, test } from "vitest";
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

let simulator: Simulator;
afterEach(() => simulator.close());

test.each(["a port of its own", "the port of HTTP/2"])(
  "1,000 sends with bad tokens at 3, 500 and 999: each good one arrives once, its events name the right ones; on %s",
  async (where) => {
    simulator = await startSimulator({
      ...{ feedbackPort: 0, minTls: "TLSv1" },
      ...(where === "a port of its own" ? { binaryPort: 0 } : {}),
      scenario: {
        rules: { when: { deviceToken: "dead*" }, do: { answer: { reason: "BadDeviceToken" } } },
      },
    });
    const { binaryPort: port, feedbackPort, ca, credentials, devices, history } = simulator;
    devices.unregister(tokenOf(gone), 1_700_000_000_000);
    const { cert, key } = credentials.certificate;
    const sends = JSON.stringify({ port, feedbackPort, ca, cert, key, deviceTokens });
    const flags = ["--tls-min-v1.0", "--no-deprecation"];
    const { stdout, stderr } = await runCommand(process.execPath, [...flags, program, sends]);
    expect(stderr).toBe("");
    const { transmitted, errors, feedback } = JSON.parse(stdout);
    expect(transmitted).toBe(1000);
    expect(errors.sort()).toEqual(bad.map((ordinal) => [8, tokenOf(ordinal)]).sort());
    expect(feedback).toEqual([[1_700_000_000, tokenOf(gone)]]);
    const good = deviceTokens.filter((each) => !each.startsWith("dead") && each !== tokenOf(gone));
    expect(history.countByDeviceToken({ protocol: "binary", status: 200 })).toEqual(
      new Map(good.map((each) => [each, 1])),
    );
    expect(history.count({ reason: "BadDeviceToken" })).toBe(bad.length);
    expect(history.total).toBe(1000);
  },
);
