import { itemId } from "./binary-notification.ts";

/** What the items of a command-2 frame say, unjudged; what is absent is undefined. */
export interface FrameItems {
  deviceToken: Buffer | undefined;
  payload: Buffer | undefined;
  identifier: number | undefined;
  expirationSeconds: number | undefined;
  priority: number | undefined;
}

const itemHeadBytes = 3;

/** Items whose data is a number, with its bytes. */
const numberBytes: Readonly<Record<number, number>> = {
  [itemId.identifier]: 4,
  [itemId.expiration]: 4,
  [itemId.priority]: 1,
};

/** Reads the items in [from, end) of a whole frame, in any order, each once at most. A text says why they cannot be parsed. */
export function readItems(frame: Buffer, from: number): FrameItems | string {
  const items: FrameItems = {
    deviceToken: undefined,
    payload: undefined,
    identifier: undefined,
    expirationSeconds: undefined,
    priority: undefined,
  };
  let seen = 0;
  for (let at = from; at < frame.length; ) {
    const start = at + itemHeadBytes;
    if (start > frame.length) return "a frame ends within the head of an item";
    const item = frame[at]!;
    const end = start + frame.readUInt16BE(at + 1);
    if (end > frame.length) return `item ${item} is longer than its frame`;
    const expected = numberBytes[item] ?? end - start;
    if (end - start !== expected) return `item ${item} has ${end - start} bytes, expected ${expected}`;
    if (!keepItem(items, item, frame, start, end)) return `item ${item}, expected 1 to 5`;
    if ((seen & (1 << item)) !== 0) return `item ${item} twice in one frame`;
    seen |= 1 << item;
    at = end;
  }
  return items;
}

/** Whether there is such an item. */
function keepItem(items: FrameItems, item: number, frame: Buffer, start: number, end: number): boolean {
  switch (item) {
    case itemId.deviceToken:
      items.deviceToken = frame.subarray(start, end);
      return true;
    case itemId.payload:
      items.payload = frame.subarray(start, end);
      return true;
    case itemId.identifier:
      items.identifier = frame.readUInt32BE(start);
      return true;
    case itemId.expiration:
      items.expirationSeconds = frame.readUInt32BE(start);
      return true;
    case itemId.priority:
      items.priority = frame[start];
      return true;
    default:
      return false;
  }
}
