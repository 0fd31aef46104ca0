import type { Command } from "commander";
import { type ExitStatus, exitStatus } from "../exit-status.ts";
import { GatewayClient, type GatewayFlags } from "../gateway-client.ts";
import { withGatewayFlags } from "../gateway-flags.ts";
import { printable } from "../printable.ts";
import type { Terminal } from "../terminal.ts";

interface Flags extends GatewayFlags {
  readonly json?: boolean;
  readonly reason?: string;
}

/** What the gateway tells of an app, as far as it is shown. */
interface AppLine {
  readonly name: string;
  readonly rateLimit?: number;
  readonly paused?: { readonly since: string; readonly reason?: string };
  readonly queued: number;
  readonly inFlight: number;
  readonly routes: readonly {
    readonly environment: string;
    readonly waitingFor?: string;
    readonly environmentSuspect: boolean;
  }[];
}

const epilogue = `
Examples:
  carillon apps list
  carillon apps pause demo --reason "wrong texts went out"
  carillon apps resume demo

The key stands in CARILLON_API_KEY, or behind --api-key where others may see it; the first one is in admin.key in the
gateway's data folder. Exit status: 0 done, 1 refused, 2 usage or key, 3 unreachable.`;

export function addAppsCommand(program: Command, terminal: Terminal, end: (how: ExitStatus) => void): void {
  const apps = program
    .command("apps")
    .description("See how the apps of a running gateway are doing, and stop one by hand")
    .usage("list|pause|resume [APP] [flags]")
    .helpOption("-h, --help", "show this help")
    .helpCommand(false)
    .showHelpAfterError("carillon apps --help shows what there is, with an example.")
    .addHelpText("after", epilogue);
  withGatewayFlags(
    apps.command("list").description("All apps: what waits, what is in flight, what they wait for"),
  ).action(async (flags: Flags) => {
    const { items } = await open(flags).call<{ items: AppLine[] }>("GET", "/v1/apps");
    if (flags.json === true) for (const app of items) terminal.print(JSON.stringify(app));
    else for (const line of layOut(items)) terminal.print(line);
    end(exitStatus.done);
  });
  const change = async (name: string, flags: Flags, step: "pause" | "resume"): Promise<void> => {
    const body = flags.reason === undefined ? undefined : { reason: flags.reason };
    const path = `/v1/apps/${encodeURIComponent(name)}/${step}`;
    const app = await open(flags).call<AppLine>("POST", path, body);
    terminal.print(
      flags.json === true ? JSON.stringify(app) : `${app.name}  ${stateOf(app)}; ${app.queued} queued`,
    );
    end(exitStatus.done);
  };
  withGatewayFlags(apps.command("pause").description("Send nothing of an app until it is resumed"))
    .argument("<app>", "its name in the configuration")
    .option("--reason <text>", "shown wherever the pause is")
    .action((name: string, flags: Flags) => change(name, flags, "pause"));
  withGatewayFlags(apps.command("resume").description("Let a paused app send again"))
    .argument("<app>", "its name in the configuration")
    .action((name: string, flags: Flags) => change(name, flags, "resume"));
}

function open(flags: Flags): GatewayClient {
  return new GatewayClient(flags, process.env);
}

/** One line for each app, the columns as wide as they need be. */
function layOut(apps: readonly AppLine[]): string[] {
  const rows = [
    ["APP", "QUEUED", "IN FLIGHT", "STATE"],
    ...apps.map((app) => [app.name, String(app.queued), String(app.inFlight), stateOf(app)]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map(([name = "", queued = "", inFlight = "", state = ""]) =>
    [
      name.padEnd(widths[0] ?? 0),
      queued.padStart(widths[1] ?? 0),
      inFlight.padStart(widths[2] ?? 0),
      state,
    ].join("  "),
  );
}

function stateOf({ paused, routes }: AppLine): string {
  if (paused !== undefined) {
    const since = `paused since ${paused.since}`;
    return paused.reason === undefined ? since : `${since}: ${printable(paused.reason)}`;
  }
  const waits = routes.flatMap(({ environment, waitingFor, environmentSuspect }) => [
    ...(waitingFor === undefined ? [] : [`${environment} waits: ${printable(waitingFor)}`]),
    ...(environmentSuspect
      ? [`${environment}: nearly all device tokens are bad, is it the right environment?`]
      : []),
  ]);
  return waits.length === 0 ? "sends" : waits.join("; ");
}
