import type { Notification, Outcome } from "@carillon/apns";
import type { Command } from "commander";
import { type ExitStatus, exitStatus } from "../exit-status.ts";
import { type OutcomeReport, reportBinaryOutcome, reportOutcome } from "../send/outcome-report.ts";
import { sendOverBinary } from "../send/send-binary.ts";
import type { SendFlags } from "../send/send-flags.ts";
import { sendNotifications } from "../send/send-notifications.ts";
import { planSend } from "../send/send-plan.ts";
import type { Terminal } from "../terminal.ts";

const examples = `
Examples:
  carillon send --to 3f1c…e0 --alert "Hello" --topic com.example.app --sandbox \\
    --key AuthKey_ABC123DEFG.p8 --key-id ABC123DEFG --team-id DEF123GHIJ
  echo '{"aps":{"content-available":1}}' | carillon send --to 3f1c…e0 --payload - --p12 push.p12

The passphrase of a --p12 or --cert-key stands in a file or in CARILLON_PASSPHRASE, never among the flags.
Exit status: 0 accepted, 1 rejected, 2 usage or configuration, 3 unreachable or unknown; of several, the highest.`;

export function addSendCommand(program: Command, terminal: Terminal, end: (how: ExitStatus) => void): void {
  program
    .command("send")
    .description("Send a push to one or more devices, straight to Apple or to a server that speaks like it")
    .usage("--to TOKEN --alert TEXT --topic T CREDENTIAL [flags]")
    .optionsGroup("To whom, and what:")
    .option("--to <token>", "device token, in hexadecimal; may stand several times", collect)
    .option("--alert <text>", "text of the alert")
    .option("--title <text>", "title of the alert")
    .option("--badge <number>", "number on the app's icon; 0 takes it away")
    .option("--sound <name>", 'sound to play, such as "default"')
    .option("--payload <file>", "the whole payload as JSON in place of these; - reads standard input")
    .option("--topic <topic>", "the app's bundle id; may be left out with a certificate")
    .option("--push-type <type>", "alert, background, voip, liveactivity, … (default: told from the payload)")
    .option("--priority <number>", "10 now, 5 as the device's power allows, 1 never wakes it")
    .option("--ttl <seconds>", "how long Apple keeps trying; 0 tries once")
    .option("--collapse-id <id>", "a newer push with the same id replaces this one on the device")
    .optionsGroup("Credential, one of three kinds:")
    .option("--key <file>", "provider key, AuthKey_….p8")
    .option("--key-id <id>", "its 10 characters (default: from the file's name)")
    .option("--team-id <id>", "the team's 10 characters")
    .option("--cert <file>", "certificate, PEM")
    .option("--cert-key <file>", "its private key, PEM")
    .option("--p12 <file>", "certificate and private key in one .p12 file")
    .option("--passphrase-file <file>", "file with the passphrase of --p12 or --cert-key")
    .optionsGroup("Where to, and how long:")
    .option("--sandbox", "Apple's sandbox, for builds from Xcode (default: production)")
    .option("--endpoint <url>", "another server that speaks like Apple, such as https://localhost:8443")
    .option(
      "--binary <host:port>",
      "a gateway of the binary protocol that Apple retired; by certificate only",
    )
    .option("--ca <file>", "further authorities to trust, PEM")
    .option("--timeout <seconds>", "for everything together (default: 30)")
    .option("--attempts <number>", "tries at most, failed connections among them (default: 5)")
    .optionsGroup("Output:")
    .option("--json", "one JSON object a line for each outcome")
    .helpOption("-h, --help", "show this help")
    .showHelpAfterError("carillon send --help shows all flags, with an example.")
    .addHelpText("after", examples)
    .action(async (flags: SendFlags) => end(await send(flags, terminal)));
}

async function send(flags: SendFlags, terminal: Terminal): Promise<ExitStatus> {
  const startedMs = performance.now();
  if (flags.payload === "-" && process.stdin.isTTY)
    terminal.note("Type the payload, a JSON object; Ctrl-D on a new line ends it.");
  const plan = await planSend(flags, process.env);
  // What was spent on reading is spent; a push that is ready gets a moment all the same.
  const remainingMs = Math.max(100, Math.round(plan.timeoutMs - (performance.now() - startedMs)));
  let status: ExitStatus = exitStatus.done;
  const { binary } = plan;
  const tell = ({ deviceToken }: Notification, outcome: Outcome): void => {
    const report = (binary === undefined ? reportOutcome : reportBinaryOutcome)(outcome, deviceToken);
    if (report.status > status) status = report.status;
    if (flags.json === true) terminal.print(JSON.stringify(report.record));
    else for (const line of layOut(report, deviceToken, terminal)) terminal.print(line);
  };
  if (binary === undefined) await sendNotifications(plan, remainingMs, tell);
  else await sendOverBinary(plan, binary, remainingMs, tell);
  return status;
}

function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

const wordColumns = 13;
const indent = " ".repeat(wordColumns);

/** The word, the start of the device token, the rest in one column. */
function layOut({ word, lines }: OutcomeReport, deviceToken: string, { colours }: Terminal): string[] {
  const paint = {
    accepted: colours.green,
    rejected: colours.red,
    unreachable: colours.yellow,
    unknown: colours.yellow,
  };
  const [first = "", ...rest] = lines;
  const head = `${paint[word](word.padEnd(wordColumns))}${deviceToken.slice(0, 8)}…  ${first}`;
  return [head, ...rest.map((line) => `${indent}${line}`)];
}
