import type { History, Push } from "@carillon/simulator";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

const lookEveryMs = 100;
/** Lines for each look; a flood is counted instead of scrolling by. */
const mostLines = 20;
const mostTextCharacters = 60;

/** Prints a line for each push that the simulator answers from now on. Returns what ends it, after a last look. */
export function followPushes(history: Pick<History, "total" | "find">, terminal: Terminal): () => void {
  let seen = history.total;
  const look = (): void => {
    const fresh = history.total - seen;
    if (fresh === 0) return;
    seen = history.total;
    if (fresh > mostLines) terminal.print(terminal.colours.dim(`… ${fresh - mostLines} more pushes`));
    for (const push of history.find({}, Math.min(fresh, mostLines)))
      terminal.print(describePush(push, terminal));
  };
  const timer = setInterval(look, lookEveryMs);
  return () => {
    clearInterval(timer);
    look();
  };
}

/** `12:00:01  accepted  3f1c09ab…  alert  "Hello"` */
function describePush(push: Push, { colours }: Terminal): string {
  const time = new Date(push.atMs).toTimeString().slice(0, 8);
  const verdict =
    push.status === 200 ? colours.green("accepted") : colours.red(`${push.status} ${push.reason ?? ""}`);
  const device = push.deviceToken === undefined ? "no device" : `${push.deviceToken.slice(0, 8)}…`;
  return [
    colours.dim(time),
    verdict,
    device,
    push.pushType ?? "no push type",
    describePayload(push.payload),
  ].join("  ");
}

function describePayload(payload: Buffer): string {
  const text = readAlert(payload) ?? payload.toString("utf8");
  const line = printable(text);
  return line.length <= mostTextCharacters ? line : `${line.slice(0, mostTextCharacters - 1)}…`;
}

/** The words that a person would read on the device, in quotation marks. */
function readAlert(payload: Buffer): string | undefined {
  try {
    const { alert } = JSON.parse(payload.toString("utf8")).aps;
    const words = typeof alert === "string" ? [alert] : [alert.title, alert.subtitle, alert.body];
    const text = words.filter((each) => typeof each === "string").join(": ");
    return text === "" ? undefined : JSON.stringify(text);
  } catch {
    return undefined; // a payload without an alert, or none that is JSON: it is shown as it is
  }
}
