import type { History, Push } from "@carillon/simulator";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

/** Pushes that come within this time are printed together. */
const gatherMs = 100;
/** Lines for each time; a flood is counted instead of scrolling by. */
const mostLines = 20;
const mostTextCharacters = 60;

/** Prints a line for each push that the simulator answers from now on. Returns what ends it, and prints what is left then. */
export function followPushes(history: Pick<History, "subscribe">, terminal: Terminal): () => void {
  const newest: Push[] = [];
  let passed = 0;
  let timer: NodeJS.Timeout | undefined;
  const print = (): void => {
    timer = undefined;
    if (passed > 0) terminal.print(terminal.colours.dim(`… ${passed} more pushes`));
    passed = 0;
    for (const push of newest.splice(0)) terminal.print(describePush(push, terminal));
  };
  const end = history.subscribe((push) => {
    newest.push(push);
    if (newest.length > mostLines) {
      newest.shift();
      passed += 1;
    }
    timer ??= setTimeout(print, gatherMs);
  });
  return () => {
    end();
    clearTimeout(timer);
    print();
  };
}

/** `12:00:01  accepted  3f1c09ab…  alert  "Hello"` */
function describePush(push: Push, { colours }: Terminal): string {
  const time = new Date(push.atMs).toTimeString().slice(0, 8);
  const verdict =
    push.status === 200 ? colours.green("accepted") : colours.red(`${push.status} ${push.reason ?? ""}`);
  return [
    colours.dim(time),
    verdict,
    describeTarget(push),
    push.pushType ?? "no push type",
    describePayload(push.payload),
  ].join("  ");
}

function describeTarget({ channelId, deviceToken }: Push): string {
  if (channelId !== undefined) return `channel ${printable(channelId.slice(0, 8))}…`;
  return deviceToken === undefined ? "no device" : `${deviceToken.slice(0, 8)}…`;
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
