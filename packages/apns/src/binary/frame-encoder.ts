import { ApnsError } from "../runtime/index.ts";
import { type BinaryCommand, type BinaryNotification, itemId } from "./binary-notification.ts";

/** How many bytes `writeFrame` writes. */
export function frameBytes(command: BinaryCommand, notification: BinaryNotification): number {
  const content = notification.deviceToken.length + notification.payload.length;
  switch (command) {
    case 0:
      return 5 + content;
    case 1:
      return 13 + content;
    case 2:
      return 5 + itemsBytes(notification);
  }
}

/** One notification as a frame. @throws ApnsError like `writeFrame` */
export function encodeFrame(command: BinaryCommand, notification: BinaryNotification): Buffer {
  const target = Buffer.allocUnsafe(frameBytes(command, notification));
  writeFrame(target, 0, command, notification);
  return target;
}

/**
 * Writes one notification as a frame, items in the order of their ids, and returns where it ends: many frames fit into one
 * buffer and one write. Only what does not fit into its field is refused; sizes that APNs would refuse can be written.
 *
 * @throws ApnsError `bad-notification` for a number that does not fit, and for command 1 without identifier or expiration
 */
export function writeFrame(
  target: Buffer,
  at: number,
  command: BinaryCommand,
  notification: BinaryNotification,
): number {
  const { identifier, expirationSeconds } = notification;
  checkFields(notification);
  target[at] = command;
  switch (command) {
    case 0:
      return writeContent(target, at + 1, notification);
    case 1:
      if (identifier === undefined || expirationSeconds === undefined) {
        throw badNotification("identifier", "command 1 carries an identifier and an expiration: give both");
      }
      target.writeUInt32BE(identifier, at + 1);
      target.writeUInt32BE(expirationSeconds, at + 5);
      return writeContent(target, at + 9, notification);
    case 2:
      target.writeUInt32BE(itemsBytes(notification), at + 1);
      return writeItems(target, at + 5, notification);
  }
}

/** Token length, token, payload length, payload: the end of commands 0 and 1. */
function writeContent(target: Buffer, at: number, { deviceToken, payload }: BinaryNotification): number {
  return writeBytes(target, writeBytes(target, at, deviceToken), payload);
}

function writeBytes(target: Buffer, at: number, bytes: Uint8Array): number {
  target.writeUInt16BE(bytes.length, at);
  target.set(bytes, at + 2);
  return at + 2 + bytes.length;
}

function itemsBytes({
  deviceToken,
  payload,
  identifier,
  expirationSeconds,
  priority,
}: BinaryNotification): number {
  return (
    6 +
    deviceToken.length +
    payload.length +
    (identifier === undefined ? 0 : 7) +
    (expirationSeconds === undefined ? 0 : 7) +
    (priority === undefined ? 0 : 4)
  );
}

function writeItems(target: Buffer, at: number, notification: BinaryNotification): number {
  const { deviceToken, payload, identifier, expirationSeconds, priority } = notification;
  let end = at;
  target[end] = itemId.deviceToken;
  end = writeBytes(target, end + 1, deviceToken);
  target[end] = itemId.payload;
  end = writeBytes(target, end + 1, payload);
  if (identifier !== undefined) end = writeNumber(target, end, itemId.identifier, identifier);
  if (expirationSeconds !== undefined) end = writeNumber(target, end, itemId.expiration, expirationSeconds);
  if (priority === undefined) return end;
  target[end] = itemId.priority;
  target.writeUInt16BE(1, end + 1);
  target[end + 3] = priority;
  return end + 4;
}

function writeNumber(target: Buffer, at: number, item: number, value: number): number {
  target[at] = item;
  target.writeUInt16BE(4, at + 1);
  target.writeUInt32BE(value, at + 3);
  return at + 7;
}

function checkFields({
  deviceToken,
  payload,
  identifier,
  expirationSeconds,
  priority,
}: BinaryNotification): void {
  checkNumber("deviceToken", deviceToken.length, 0xffff, "bytes");
  checkNumber("payload", payload.length, 0xffff, "bytes");
  checkNumber("identifier", identifier, 0xffff_ffff, "as a whole number");
  checkNumber("expiration", expirationSeconds, 0xffff_ffff, "as epoch seconds");
  checkNumber("priority", priority, 0xff, "as a whole number");
}

function checkNumber(field: string, value: number | undefined, most: number, unit: string): void {
  if (value === undefined || (Number.isInteger(value) && value >= 0 && value <= most)) return;
  throw badNotification(field, `must be 0 to ${most} ${unit}, to fit into its field of the frame`);
}

function badNotification(field: string, detail: string): ApnsError {
  return new ApnsError("bad-notification", `${field}: ${detail}`, [{ field, detail }]);
}
