import type { FeedbackOptions, GoneDevice } from "@carillon/apns/binary";
import { type ExitStatus, exitStatus } from "../exit-status.ts";
import { printable } from "../printable.ts";
import type { Terminal } from "../terminal.ts";

/** The reader of our output has gone, or the disk behind it is full. */
class OutputLost extends Error {}

/**
 * Reads the feedback service to its end and prints each device as it comes. Nothing more is taken from the service than
 * what was handed on, because it tells each device token once.
 */
export async function readService(
  options: FeedbackOptions,
  isJson: boolean,
  terminal: Terminal,
): Promise<ExitStatus> {
  // Loaded by those alone who speak the retired protocol.
  const { readFeedback } = await import("@carillon/apns/binary");
  const { host, port } = options;
  let devices = 0;
  const told = async (device: GoneDevice): Promise<void> => {
    try {
      await terminal.hand(isJson ? JSON.stringify(recordOf(device)) : lineOf(device));
    } catch (error) {
      throw new OutputLost((error as Error).message);
    }
    devices += 1;
  };
  try {
    const reading = await readFeedback(options, told);
    switch (reading.kind) {
      case "complete":
        terminal.note(`${countOf(devices)}. ${devices === 0 ? nothing : done}`);
        return exitStatus.done;
      case "broken-off":
        terminal.note(`error: the reading broke off: ${printable(reading.detail)}`);
        terminal.note(`${countOf(devices)} before that, and they count. ${again}`);
        return exitStatus.unknown;
      case "unreachable":
        terminal.note(`error: nothing was read: ${printable(reading.detail)}`);
        terminal.note(
          `Check that ${host}:${port} is the feedback service, the network and the firewall; ${trust}`,
        );
        return exitStatus.unknown;
    }
  } catch (error) {
    if (!(error instanceof OutputLost)) throw error;
    terminal.note(`error: the output was lost, and the reading was broken off: ${error.message}`);
    terminal.note(`${countOf(devices)} before that. ${again}`);
    return exitStatus.unknown;
  }
}

const nothing = "The service has nothing that it did not tell before.";
const done = "The service will not tell them again: keep what was printed.";
const again =
  "A bridge tells all of them again to the next reader; Apple's service had forgotten what it had sent.";
const trust = "a server with a certificate of its own needs --ca FILE, and a bridge must know yours.";

function countOf(devices: number): string {
  return devices === 1 ? "1 device token" : `${devices} device tokens`;
}

function lineOf(device: GoneDevice): string {
  const { token, since } = recordOf(device);
  return `${token}  gone since ${since}`;
}

function recordOf({ deviceToken, goneSinceMs }: GoneDevice): {
  readonly token: string;
  readonly since: string;
} {
  return { token: deviceToken, since: new Date(goneSinceMs).toISOString() };
}
