import type { Command } from "commander";

/** The flags of a command that speaks to a running gateway. */
export function withGatewayFlags(command: Command): Command {
  return command
    .option("--url <url>", "the gateway's address (default: CARILLON_URL, or http://127.0.0.1:8080)")
    .option("--api-key <key>", "its key (default: CARILLON_API_KEY)")
    .option("--json", "one JSON object a line")
    .helpOption("-h, --help", "show this help");
}
