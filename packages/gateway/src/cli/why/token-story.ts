import { CommandFailure } from "../command-failure.ts";
import { exitStatus } from "../exit-status.ts";
import type { GatewayClient } from "../gateway-client.ts";
import type { ShownVerdict } from "../outcomes/event-lines.ts";
import type { ShownTrace } from "./trace-lines.ts";

/** A notification to the device token, as far as it is shown. */
export interface ShownRecord {
  readonly id: string;
  readonly storedAt: string;
  readonly status: string;
  readonly reason?: string;
  readonly reference?: string;
}

/** What is known of one device token. */
export interface TokenStory {
  readonly verdicts: readonly ShownVerdict[];
  /** The newest first. */
  readonly notifications: readonly ShownRecord[];
  /** There may be older ones that nobody looked for. */
  readonly mayHaveOlder: boolean;
  /** Of the newest, or else of the one that brought the verdict. */
  readonly trace?: ShownTrace;
}

const mostNotifications = 5;
/** A page looks at 2,000 batches. */
const mostPages = 20;

/** @throws {CommandFailure} nothing is known of it, or the gateway refuses or is not there */
export async function askAboutToken(client: GatewayClient, path: string, token: string): Promise<TokenStory> {
  const feedback = await client.call<{ items: ShownVerdict[] }>("GET", `${path}/feedback/${token}`);
  const verdicts = feedback.items;
  const { notifications, mayHaveOlder } = await newestTo(client, path, token);
  const id = notifications[0]?.id ?? verdicts[0]?.notificationId;
  if (id === undefined)
    throw new CommandFailure(exitStatus.rejected, {
      summary:
        "nothing is known of this device token: nothing is held against it, and no notification to it was found.",
      hint:
        "Which device token a notification went to is known until a day after its end (retention.payloadHours). " +
        "Is it a token of this app?",
    });
  const trace = await askForTrace(client, path, id).catch((error: unknown) => {
    // What brought a verdict is forgotten long before the verdict is.
    if (error instanceof CommandFailure && error.status === exitStatus.rejected) return undefined;
    throw error;
  });
  return { verdicts, notifications, mayHaveOlder, ...(trace === undefined ? {} : { trace }) };
}

/** @throws {CommandFailure} as `call` does */
export function askForTrace(client: GatewayClient, path: string, id: string): Promise<ShownTrace> {
  return client.call("GET", `${path}/notifications/${encodeURIComponent(id)}/trace`);
}

async function newestTo(
  client: GatewayClient,
  path: string,
  token: string,
): Promise<Pick<TokenStory, "notifications" | "mayHaveOlder">> {
  const notifications: ShownRecord[] = [];
  let after: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const query = new URLSearchParams({
      ...{ token, limit: String(mostNotifications - notifications.length) },
      ...(after === undefined ? {} : { after }),
    });
    const { items, cursor } = await client.call<{ items: ShownRecord[]; cursor?: string }>(
      "GET",
      `${path}/notifications?${query}`,
    );
    notifications.push(...items);
    if (cursor === undefined) return { notifications, mayHaveOlder: false };
    if (notifications.length >= mostNotifications) break;
    after = cursor;
  }
  return { notifications, mayHaveOlder: true };
}
