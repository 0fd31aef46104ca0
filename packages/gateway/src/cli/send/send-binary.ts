import type { Notification, Outcome } from "@carillon/apns";
import { BinaryClient } from "@carillon/apns/binary";
import type { HostPort } from "../host-port.ts";
import type { SendPlan } from "./send-plan.ts";

const mostConnectMs = 10_000;

/** Sends all over one connection and tells each outcome as it comes: with proof, because the gateway is silent on what it accepts. */
export async function sendOverBinary(
  { notifications, target, attempts }: SendPlan,
  { host, port }: HostPort,
  remainingMs: number,
  tell: (notification: Notification, outcome: Outcome) => void,
): Promise<void> {
  const { credentials, ca } = target;
  const client = new BinaryClient({
    ...{ host, port, credentials, connectAttempts: attempts },
    ...(ca === undefined ? {} : { ca }),
    ...{
      answerTimeoutMs: Math.min(remainingMs, 600_000),
      connectTimeoutMs: Math.min(remainingMs, mostConnectMs),
    },
    // As much as there is of it was checked by today's rules; the gateway says what it thinks of the rest.
    mostPayloadBytes: 65_535,
  });
  const told = notifications.map(async (notification) => {
    const { deviceToken, payload, expiration, priority } = notification;
    const outcome = await client.send({
      ...{ deviceToken, payload },
      ...(expiration === undefined ? {} : { expiration }),
      ...(priority === 5 || priority === 10 ? { priority } : {}),
    });
    tell(notification, outcome);
  });
  await client.close({ deadlineMs: remainingMs });
  await Promise.all(told);
}
