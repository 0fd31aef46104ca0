import type { Command } from "commander";
import { CommandFailure } from "../command-failure.ts";
import { type ExitStatus, exitStatus } from "../exit-status.ts";
import { type GatewayFlags as ClientFlags, GatewayClient } from "../gateway-client.ts";
import { withGatewayFlags } from "../gateway-flags.ts";
import { readNumber } from "../number-text.ts";
import type { Terminal } from "../terminal.ts";
import {
  lineOfAttempt,
  linesOfWebhook,
  type ShownAttempt,
  type ShownWebhook,
} from "../webhooks/webhook-lines.ts";

const examples = `
Examples:
  export CARILLON_API_KEY=$(cat carillon-data/admin.key)
  carillon webhooks create https://hooks.example.com/carillon --app demo --types token.gone,notification.rejected
  carillon webhooks ping wh_…

They speak to a running gateway: --url or CARILLON_URL (default: http://127.0.0.1:8080), --api-key or CARILLON_API_KEY; the
environment is the better place for a key, for other users of a machine can see flags.
Exit status: 0 done, 1 refused, or a ping that was not taken, 2 usage or key, 3 the gateway does not answer.`;

interface GatewayFlags extends ClientFlags {
  readonly json?: true;
}

interface FilterFlags extends GatewayFlags {
  readonly app?: string;
  readonly types?: string;
  readonly description?: string;
}

interface UpdateFlags extends FilterFlags {
  readonly to?: string;
  readonly allApps?: true;
  readonly allTypes?: true;
  readonly enable?: true;
  readonly disable?: true;
}

/** What every action gets. */
interface Context {
  readonly terminal: Terminal;
  readonly end: (how: ExitStatus) => void;
}

export function addWebhooksCommand(
  program: Command,
  terminal: Terminal,
  end: (how: ExitStatus) => void,
): void {
  const context = { terminal, end };
  const group = program
    .command("webhooks")
    .description("Have a running gateway post its events to your servers")
    .usage("COMMAND [flags]")
    .helpOption("-h, --help", "show this help")
    .helpCommand(false)
    .showHelpAfterError("carillon webhooks --help shows what there is.")
    .addHelpText("after", examples);
  addLooking(group, context);
  addMaking(group, context);
  addActing(group, context);
}

function addLooking(group: Command, context: Context): void {
  const { terminal } = context;
  subcommand(group, "list", "all webhooks, and how they stand").action(async (flags: GatewayFlags) => {
    const { items } = (await gateway(flags).call("GET", "/v1/webhooks")) as { items: ShownWebhook[] };
    if (items.length === 0 && !flags.json)
      terminal.note("There are none. carillon webhooks create makes one.");
    for (const webhook of items) show(webhook, linesOfWebhook(webhook, terminal), flags, context);
  });
  subcommand(group, "deliveries <id>", "the latest calls, and how they went")
    .option("--limit <number>", "so many lines (default: 20, at most 100)")
    .action(async (id: string, flags: GatewayFlags & { limit?: string }) => {
      const query = flags.limit === undefined ? "" : `?limit=${encodeURIComponent(flags.limit)}`;
      const { items } = (await gateway(flags).call("GET", `${pathOf(id)}/deliveries${query}`)) as {
        items: ShownAttempt[];
      };
      for (const attempt of items) show(attempt, [lineOfAttempt(attempt, terminal)], flags, context);
    });
}

function addMaking(group: Command, context: Context): void {
  const { terminal } = context;
  subcommand(group, "create <address>", "have events posted to an address")
    .option("--app <name>", "only what is about this app")
    .option("--types <list>", "only these types of events, with commas between them")
    .option("--description <text>", "for people")
    .option("--after <cursor>", "begin behind this event (default: what happens from now on)")
    .action(async (address: string, flags: FilterFlags & { after?: string }) => {
      const { app, description, after } = flags;
      const body = { url: address, app, types: typesOf(flags), description, after };
      showWithSecret(await gateway(flags).call("POST", "/v1/webhooks", body), flags, context);
    });
  subcommand(group, "update <id>", "change a webhook, stop or resume it")
    .option("--to <address>", "another address")
    .option("--app <name>", "only what is about this app")
    .option("--all-apps", "what is about any app")
    .option("--types <list>", "only these types of events")
    .option("--all-types", "all types")
    .option("--description <text>", "for people")
    .option("--enable", "go on where deliveries stopped")
    .option("--disable", "stop deliveries")
    .action(async (id: string, flags: UpdateFlags) => {
      const webhook = (await gateway(flags).call("PATCH", pathOf(id), changesOf(flags))) as ShownWebhook;
      show(webhook, linesOfWebhook(webhook, terminal), flags, context);
    });
  subcommand(group, "delete <id>", "forget a webhook").action(async (id: string, flags: GatewayFlags) => {
    await gateway(flags).call("DELETE", pathOf(id));
    show({ id, deleted: true }, [`${id} is deleted`], flags, context);
  });
}

function addActing(group: Command, context: Context): void {
  const { terminal, end } = context;
  subcommand(group, "rotate <id>", "make a new secret; for a while the present one signs beside it")
    .option("--overlap <seconds>", "for so long (default: 86400; 0 ends it at once)")
    .action(async (id: string, flags: GatewayFlags & { overlap?: string }) => {
      const body = { overlapSeconds: readOverlap(flags.overlap) };
      showWithSecret(await gateway(flags).call("POST", `${pathOf(id)}/rotate`, body), flags, context);
    });
  subcommand(group, "ping <id>", "post a signed page without events now, and tell how it went").action(
    async (id: string, flags: GatewayFlags) => {
      const attempt = (await gateway(flags).call("POST", `${pathOf(id)}/ping`)) as ShownAttempt;
      show(attempt, [lineOfAttempt(attempt, terminal)], flags, context);
      if (!attempt.delivered) end(exitStatus.rejected);
    },
  );
  subcommand(group, "replay <id>", "deliver again, or go on elsewhere")
    .option("--after <cursor>", "behind this event (default: all that is kept)")
    .action(async (id: string, flags: GatewayFlags & { after?: string }) => {
      const body = { after: flags.after };
      const webhook = (await gateway(flags).call("POST", `${pathOf(id)}/replay`, body)) as ShownWebhook;
      show(webhook, linesOfWebhook(webhook, terminal), flags, context);
    });
}

function subcommand(group: Command, name: string, description: string): Command {
  return withGatewayFlags(group.command(name).description(description)).showHelpAfterError(
    `carillon webhooks ${name.split(" ", 1)[0]} --help shows all flags.`,
  );
}

function gateway(flags: GatewayFlags): GatewayClient {
  return new GatewayClient(flags, process.env);
}

function pathOf(id: string): string {
  return `/v1/webhooks/${encodeURIComponent(id)}`;
}

function typesOf({ types }: FilterFlags): readonly string[] | undefined {
  return types?.split(",").map((type) => type.trim());
}

/** @throws {CommandFailure} flags that contradict each other, or none */
function changesOf(flags: UpdateFlags): object {
  const { to, app, allApps, allTypes, description, enable, disable } = flags;
  const types = typesOf(flags);
  const pairs = [
    ["--app", app, "--all-apps", allApps],
    ["--types", types, "--all-types", allTypes],
    ["--enable", enable, "--disable", disable],
  ] as const;
  const problems = pairs.flatMap(([one, has, other, hasOther]) =>
    has !== undefined && hasOther !== undefined ? [`${one} and ${other} cannot stand together.`] : [],
  );
  if (problems.length > 0) throw usage(problems);
  const changes = {
    ...(to === undefined ? {} : { url: to }),
    ...(allApps ? { app: null } : app === undefined ? {} : { app }),
    ...(allTypes ? { types: null } : types === undefined ? {} : { types }),
    ...(description === undefined ? {} : { description }),
    ...(enable ? { enabled: true } : disable ? { enabled: false } : {}),
  };
  if (Object.keys(changes).length === 0) throw usage(["Say what is to change: --to, --types, --disable, …"]);
  return changes;
}

function readOverlap(text: string | undefined): number | undefined {
  return readNumber(text, { least: 0, most: 604_800 }, (detail) => {
    throw usage([`--overlap  This ${detail}`]);
  });
}

function usage(problems: readonly string[]): CommandFailure {
  return new CommandFailure(exitStatus.usage, { summary: "nothing was changed.", problems });
}

function show(record: object, lines: readonly string[], { json }: GatewayFlags, { terminal }: Context): void {
  if (json) terminal.print(JSON.stringify(record));
  else for (const line of lines) terminal.print(line);
}

function showWithSecret(answer: unknown, flags: GatewayFlags, context: Context): void {
  const webhook = answer as ShownWebhook & { secret: string };
  const lines = [
    ...linesOfWebhook(webhook, context.terminal),
    `  secret ${webhook.secret}`,
    "  It is shown this once. Give it to the receiver, which verifies with it.",
  ];
  show(webhook, lines, flags, context);
}
