import type { Command } from "commander";
import { appPath } from "../app-path.ts";
import { CommandFailure } from "../command-failure.ts";
import { type ExitStatus, exitStatus } from "../exit-status.ts";
import { type FeedbackFlags, readServiceFlags } from "../feedback/feedback-flags.ts";
import { readService } from "../feedback/read-service.ts";
import { GatewayClient } from "../gateway-client.ts";
import { withGatewayFlags } from "../gateway-flags.ts";
import { lineOfVerdict, type ShownVerdict } from "../outcomes/event-lines.ts";
import type { Terminal } from "../terminal.ts";

const epilogue = `
Examples:
  carillon feedback --app demo
  carillon feedback --app demo --after 17 --json
  carillon feedback restore --app demo TOKEN
  carillon feedback --binary localhost:2196 --cert client.pem --cert-key client-key.pem --ca ca.pem

Delete a device token that is gone, unless it registered after the time behind "since"; one that is suspect belongs to
another app or environment: look at the configuration. --json prints one object a line; the cursor to go on from
goes to standard error. The key stands in CARILLON_API_KEY, or behind --api-key where others may see it.

With --binary it reads a feedback service of the binary protocol that Apple retired, such as a bridge's on port 2196. It
tells each device token once: what is printed is the only copy. No more is taken from it than could be printed; when
the output is closed the reading is broken off, and a bridge tells everything again to the next reader. The passphrase
of a --p12 or --cert-key stands in a file or in CARILLON_PASSPHRASE.
Exit status: 0 done, 1 refused, 2 usage or key, 3 unreachable, broken off, or the output was closed.`;

export function addFeedbackCommand(
  program: Command,
  terminal: Terminal,
  end: (how: ExitStatus) => void,
): void {
  const feedback = withGatewayFlags(
    program
      .command("feedback")
      .description("List the device tokens that are gone or suspect, or take a verdict back")
      .usage("[restore TOKEN] --app NAME [flags]  or  --binary HOST:PORT CERTIFICATE [flags]"),
  )
    .helpCommand(false)
    .enablePositionalOptions()
    .showHelpAfterError("carillon feedback --help shows the flags, with an example.")
    .addHelpText("after", epilogue)
    .option("--app <name>", "the app's name in the configuration")
    .option("--after <cursor>", "go on behind this cursor (default: from the oldest verdict)")
    .option("--limit <number>", "so many verdicts at most (default: 100, at most 1000)")
    .optionsGroup("A feedback service of the retired binary protocol:")
    .option("--binary <host:port>", "read this one instead of asking a gateway")
    .option("--cert <file>", "client certificate, PEM")
    .option("--cert-key <file>", "its private key, PEM")
    .option("--p12 <file>", "certificate and private key in one .p12 file")
    .option("--passphrase-file <file>", "file with the passphrase of --p12 or --cert-key")
    .option("--ca <file>", "further authorities to trust, PEM")
    .action(async (flags: FeedbackFlags) => {
      const service = await readServiceFlags(flags, process.env);
      if (service !== undefined) return end(await readService(service, flags.json === true, terminal));
      await list(flags, terminal);
      end(exitStatus.done);
    });
  withGatewayFlags(feedback.command("restore").description("Take back what is held against a device token"))
    .argument("<token>", "the device token")
    .option("--app <name>", "the app's name in the configuration")
    .action(async (token: string, _: FeedbackFlags, command: Command) => {
      const flags: FeedbackFlags = command.optsWithGlobals();
      if (flags.binary !== undefined) throw nothingToRestore();
      await readServiceFlags(flags, process.env);
      const path = `${pathOf(flags)}/${encodeURIComponent(token)}/restore`;
      const answer = await open(flags).call<{ restored: boolean }>("POST", path);
      const words = answer.restored ? "It is taken back." : "Nothing was held against it.";
      terminal.print(flags.json === true ? JSON.stringify(answer) : words);
      end(exitStatus.done);
    });
}

async function list(flags: FeedbackFlags, terminal: Terminal): Promise<void> {
  const { after, limit } = flags;
  const query = new URLSearchParams({
    ...(after === undefined ? {} : { after }),
    ...(limit === undefined ? {} : { limit }),
  });
  const page = await open(flags).call<{ items: ShownVerdict[]; cursor: string }>(
    "GET",
    `${pathOf(flags)}?${query}`,
  );
  for (const item of page.items)
    terminal.print(flags.json === true ? JSON.stringify(item) : lineOfVerdict(item));
  terminal.note(`Go on with --after ${page.cursor}`);
}

function nothingToRestore(): CommandFailure {
  return new CommandFailure(exitStatus.usage, {
    summary: "a feedback service only tells: nothing can be taken back there.",
    hint: "Leave --binary out, to take it back from a gateway.",
  });
}

/** @throws {CommandFailure} no app is named */
function pathOf({ app }: FeedbackFlags): string {
  return `${appPath(app)}/feedback`;
}

function open(flags: FeedbackFlags): GatewayClient {
  return new GatewayClient(flags, process.env);
}
