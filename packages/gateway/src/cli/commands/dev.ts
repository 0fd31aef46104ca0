import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Simulator } from "@carillon/simulator";
import type { Command } from "commander";
import type { Config } from "../../config/index.ts";
import type { Gateway } from "../../index.ts";
import { CommandFailure } from "../command-failure.ts";
import { type DemoFolder, demoFolderName, openDemoFolder } from "../demo-folder.ts";
import { type ExitStatus, exitStatus } from "../exit-status.ts";
import { findTakenPorts, type PortChoice, readPort } from "../ports.ts";
import { followPushes } from "../push-feed.ts";
import { writeShellLine } from "../shell-line.ts";
import { demoDeviceToken, readSimulatorPorts, type SimulatorPorts } from "../simulator-settings.ts";
import { StopSignals } from "../stop-signals.ts";
import type { Terminal } from "../terminal.ts";

const appName = "demo";
const drainSeconds = 10;

const help = `
A gateway with its queue on disk, a simulator of Apple's side and an app named ${appName}. It prints a curl line that sends a
push. Everything lies in ${demoFolderName}, and the next run goes on with it; delete that folder to start afresh.

Ports: CARILLON_LISTEN_PORT (default: 8080), CARILLON_SIMULATOR_PORT (8443), CARILLON_SIMULATOR_CONTROL_PORT (8444); 0 takes
any free one.

Example:
  CARILLON_LISTEN_PORT=9080 carillon dev`;

export function addDevCommand(program: Command, terminal: Terminal, end: (how: ExitStatus) => void): void {
  program
    .command("dev")
    .description("Try it out: gateway, simulator and a demo app in one process")
    .usage("")
    .helpOption("-h, --help", "show this help")
    .showHelpAfterError("carillon dev --help shows all flags, with an example.")
    .addHelpText("after", help)
    .action(async () => end(await dev(terminal)));
}

async function dev(terminal: Terminal): Promise<ExitStatus> {
  const ports = await readPorts();
  const signals = new StopSignals(
    "stopped at once. What was accepted is on disk and goes out at the next start.",
  );
  const isFirstRun = !existsSync(join(demoFolderName, "data"));
  const demo = await signals.orAtOnce(start(ports)).catch((error: unknown) => {
    throw error instanceof CommandFailure ? error : refusal([(error as Error).message]);
  });
  const { gateway, simulator } = demo;
  for (const notice of simulator.notices) terminal.note(`notice: ${notice}`);
  for (const line of introduce(demo, isFirstRun, terminal)) terminal.print(line);
  const endFeed = followPushes(simulator.history, terminal);
  const failure = await Promise.race([gateway.failed, signals.first]);
  if (failure instanceof Error) terminal.note(`error: the store failed: ${failure.message}`);
  terminal.print("stopping");
  await signals.orAtOnce(gateway.close({ deadlineMs: drainSeconds * 1000 }));
  // After the gateway, which may still owe it good-byes and wait for its answers.
  await signals.orAtOnce(simulator.close());
  endFeed();
  terminal.print(
    `stopped; what was accepted and not sent yet is in ${demoFolderName} and goes out at the next start`,
  );
  return failure instanceof Error ? exitStatus.unknown : exitStatus.done;
}

interface DevPorts extends SimulatorPorts {
  readonly listen: PortChoice;
}

async function readPorts(): Promise<DevPorts> {
  const problems: string[] = [];
  const { CARILLON_LISTEN_HOST = "", CARILLON_LISTEN_PORT } = process.env;
  const setting = "CARILLON_LISTEN_PORT";
  const port = readPort(CARILLON_LISTEN_PORT, 8080, (detail) => problems.push(`${setting} ${detail}`));
  const host = CARILLON_LISTEN_HOST === "" ? "127.0.0.1" : CARILLON_LISTEN_HOST;
  const ports = {
    listen: { user: "the gateway", host, port, setting },
    ...readSimulatorPorts(undefined, (detail) => problems.push(detail)),
  };
  if (problems.length === 0)
    problems.push(...(await findTakenPorts([ports.listen, ports.push, ports.control])));
  if (problems.length > 0) throw refusal(problems);
  return ports;
}

interface Demo {
  readonly gateway: Gateway;
  readonly simulator: Simulator;
}

async function start({ listen, push, control }: DevPorts): Promise<Demo> {
  const [{ startGateway }, { startSimulator }] = await Promise.all([
    import("../../index.ts"),
    import("@carillon/simulator"),
  ]);
  const folder = openDemoFolder();
  const simulator = await startSimulator({
    port: push.port,
    controlPort: control.port,
    dir: folder.simulatorDir,
  });
  try {
    const gateway = await startGateway({ config: demoConfig(listen, folder, simulator) });
    return { gateway, simulator };
  } catch (error) {
    await simulator.close();
    throw error;
  }
}

function demoConfig({ host, port }: PortChoice, { dataDir }: DemoFolder, simulator: Simulator): Config {
  return {
    listen: { host, port },
    dataDir: resolve(dataDir),
    logLevel: "warn",
    // For receivers on the same laptop.
    webhooks: { allowHttp: true, allowPorts: "any", allowNetworks: ["127.0.0.0/8"] },
    apps: [
      {
        name: appName,
        topic: simulator.topic,
        environment: "sandbox",
        credentials: simulator.credentials.token,
        endpoint: simulator.endpoint,
        ca: simulator.ca,
      },
    ],
  };
}

function introduce(
  { gateway, simulator }: Demo,
  isFirstRun: boolean,
  { colours }: Terminal,
): readonly string[] {
  const { bold, dim } = colours;
  const curlLine = writeShellLine([
    ...["curl", "-sS", `${gateway.url}/v1/apps/${appName}/notifications?wait=10`],
    ...["-H", `Authorization: Bearer ${gateway.adminKey}`],
    ...["-H", "Content-Type: application/json"],
    ...["-d", JSON.stringify({ to: { token: demoDeviceToken }, alert: "Hello" })],
    ...["-w", "\\n"],
  ]);
  return [
    `Carillon is running, with a simulator in Apple's place: nothing leaves this machine.${
      isFirstRun ? "" : ` It goes on with what is in ${demoFolderName}.`
    }`,
    "",
    `  gateway     ${bold(gateway.url)}   (${gateway.url}/docs describes its calls)`,
    `  key         ${gateway.adminKey}   (kept in ${demoFolderName}/data/admin.key)`,
    `  app         ${appName}, topic ${simulator.topic}`,
    `  simulator   ${simulator.endpoint}   (${simulator.controlUrl}/history has what arrived)`,
    `  page        ${simulator.controlUrl}/   (open it in a browser: pushes as a lock screen shows them)`,
    "",
    "This sends a push; paste it into another terminal:",
    "",
    curlLine,
    "",
    dim("Ctrl-C stops everything and loses nothing. Pushes, as they arrive:"),
  ];
}

function refusal(problems: readonly string[]): CommandFailure {
  return new CommandFailure(exitStatus.usage, {
    summary: "the demo did not start.",
    problems,
    hint: "carillon dev --help shows what can be set.",
  });
}
