import type { Simulator } from "@carillon/simulator";
import { type PortChoice, readPort } from "./ports.ts";
import { carillonWords, writeShellLine } from "./shell-line.ts";

/** Loopback: the simulator takes any well-formed push, and its control API asks for no key. */
const host = "127.0.0.1";

/** Where pushes of the demo go: no device that exists. */
export const demoDeviceToken = "3f1c09ab5e7d42688a90c1b2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5a6";

export interface SimulatorPorts {
  readonly push: PortChoice;
  readonly control: PortChoice;
}

/** Ports that a simulator has only where they are asked for. */
export interface RetiredPorts {
  readonly binary: PortChoice | undefined;
  readonly feedback: PortChoice | undefined;
}

/** The ports of the retired binary protocol, by flags alone. */
export function readRetiredPorts(
  flags: { readonly binaryPort?: string; readonly feedbackPort?: string },
  refuse: (detail: string) => void,
): RetiredPorts {
  const choose = (user: string, setting: string, given: string | undefined): PortChoice | undefined => {
    if (given === undefined) return undefined;
    return { user, host, port: readPort(given, 0, (detail) => refuse(`${setting} ${detail}`)), setting };
  };
  return {
    binary: choose("its binary gateway", "--binary-port", flags.binaryPort),
    feedback: choose("its feedback service", "--feedback-port", flags.feedbackPort),
  };
}

/** The ports of a simulator: flags where there are any, then the environment, then 8443 and 8444. */
export function readSimulatorPorts(
  flags: { readonly port?: string; readonly controlPort?: string } | undefined,
  refuse: (detail: string) => void,
): SimulatorPorts {
  const choose = (
    user: string,
    flag: string,
    given: string | undefined,
    variable: string,
    fallback: number,
  ) => {
    const source = given === undefined ? variable : flag;
    const port = readPort(given ?? process.env[variable], fallback, (detail) =>
      refuse(`${source} ${detail}`),
    );
    return { user, host, port, setting: flags === undefined ? variable : flag };
  };
  return {
    push: choose("the simulator", "--port", flags?.port, "CARILLON_SIMULATOR_PORT", 8443),
    control: choose(
      "its control API",
      "--control-port",
      flags?.controlPort,
      "CARILLON_SIMULATOR_CONTROL_PORT",
      8444,
    ),
  };
}

/** A line that sends a push to the simulator when pasted into a shell in the same folder. */
export function writeSendLine({ credentials, endpoint, files, topic }: Simulator): string {
  const { keyId, teamId } = credentials.token;
  const [, script = "carillon"] = process.argv;
  return writeShellLine([
    ...carillonWords({ script, folder: process.cwd(), environment: process.env }),
    "send",
    ...["--to", demoDeviceToken, "--alert", "Hello", "--topic", topic],
    ...["--key", files?.key ?? "", "--key-id", keyId, "--team-id", teamId],
    ...["--endpoint", endpoint, "--ca", files?.ca ?? ""],
  ]);
}
