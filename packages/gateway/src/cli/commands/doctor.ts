import type { Command } from "commander";
import { configFlagHelp, findConfig, noConfigHint } from "../config-file.ts";
import { type DoctorFlags, readDoctorFlags } from "../doctor/doctor-flags.ts";
import { describeCounts, linesOf } from "../doctor/finding-lines.ts";
import { type ExitStatus, exitStatus } from "../exit-status.ts";
import type { Terminal } from "../terminal.ts";

const help = `
Examples:
  carillon doctor
  carillon doctor --config carillon.yaml --connect
  carillon doctor --cert client.pem            (a sender of the retired binary protocol)

It looks at the configuration, the data folder, each app's credentials and the bridge, changes nothing and may run beside a
gateway. --connect also opens a connection to where each app sends, and sends no push; without it nothing leaves this
machine. With a sender's certificate it says which app it stands for at the bridge, or why for none, and what must
be changed in that sender. The passphrase of a --p12 or --cert-key stands in a file or in CARILLON_PASSPHRASE.

Every finding is ok, a warning or a problem, with what to do about it; --json prints one object a line.
Exit status: 0 no problems, 2 the configuration is at fault, 3 it is not, and something could not be reached.`;

export function addDoctorCommand(program: Command, terminal: Terminal, end: (how: ExitStatus) => void): void {
  program
    .command("doctor")
    .description("Look for what is wrong, before a gateway starts or while it runs")
    .usage("[--config FILE] [--connect] [a sender's CERTIFICATE]")
    .option("--config <file>", configFlagHelp)
    .option("--connect", "open a connection to where each app sends; no push is sent")
    .option("--timeout <seconds>", "for each of these connections (default: 10)")
    .optionsGroup("A sender's client certificate:")
    .option("--cert <file>", "certificate, PEM")
    .option("--cert-key <file>", "its private key, PEM; may be left out")
    .option("--p12 <file>", "certificate and private key in one .p12 file")
    .option("--passphrase-file <file>", "file with the passphrase of --p12 or --cert-key")
    .optionsGroup("Output:")
    .option("--json", "one JSON object a line for each finding")
    .helpOption("-h, --help", "show this help")
    .showHelpAfterError("carillon doctor --help shows all flags, with an example.")
    .addHelpText("after", help)
    .action(async (flags: DoctorFlags) => end(await examineAll(flags, terminal)));
}

async function examineAll(flags: DoctorFlags, terminal: Terminal): Promise<ExitStatus> {
  const { sender, connectWithinMs } = await readDoctorFlags(flags, process.env);
  const { file, loaded } = findConfig(flags.config);
  // Loaded by those alone who are ill: it brings most of the gateway.
  const { examine } = await import("../../doctor/index.ts");
  const isJson = flags.json === true;
  const causes = new Set<"configuration" | "unreachable">();
  let problems = 0;
  let warnings = 0;
  for await (const finding of examine({ loaded, sender, connectWithinMs, nowMs: Date.now() })) {
    if (isJson) terminal.print(JSON.stringify(finding));
    else for (const line of linesOf(finding, terminal)) terminal.print(line);
    if (finding.level === "warning") warnings += 1;
    if (finding.level !== "problem") continue;
    problems += 1;
    causes.add(finding.cause);
  }
  if (!isJson) terminal.print(`\n${describeCounts(problems, warnings)}`);
  if (file === undefined && loaded.kind === "invalid") terminal.note(noConfigHint);
  if (causes.has("configuration")) return exitStatus.usage;
  return causes.has("unreachable") ? exitStatus.unknown : exitStatus.done;
}
