import { encodeFrame } from "@carillon/apns/binary";
import { expect, test } from "vitest";
import { GatewayConnection } from "./gateway-connection.ts";

const frame = (identifier: number): Buffer =>
  encodeFrame(2, { deviceToken: Buffer.alloc(32, 1), payload: Buffer.from("{}"), identifier });

/** Notes what is heard; refuses what has this identifier. */
function open(refused?: number) {
  const heard: unknown[] = [];
  const gateway: GatewayConnection = new GatewayConnection(
    {
      notification: ({ notification: { identifier } }) => {
        heard.push(identifier);
        if (identifier === refused) gateway.refuse();
      },
      malformed: ({ status }) => {
        heard.push({ status });
        gateway.fail({ status, identifier: 0 });
      },
    },
    2048,
  );
  return { gateway, heard };
}

test("reads frames at any split of the bytes, and says nothing", () => {
  const bytes = Buffer.concat([frame(1), frame(2), frame(3)]);
  for (let split = 0; split <= bytes.length; split += 1) {
    const { gateway, heard } = open();
    gateway.receive(bytes.subarray(0, split));
    gateway.receive(bytes.subarray(split));
    expect(heard).toEqual([1, 2, 3]);
    expect(gateway.takeOutput()).toBeUndefined();
    expect(gateway).toMatchObject({ isOpen: true, hasSaidAll: false });
  }
});

test("reads nothing behind the one at fault, in the same bytes or later; the error may follow", () => {
  const { gateway, heard } = open(2);
  gateway.receive(Buffer.concat([frame(1), frame(2), frame(3)]));
  gateway.receive(frame(4));
  expect(heard).toEqual([1, 2]);
  expect(gateway).toMatchObject({ isOpen: false, hasSaidAll: false });
  gateway.fail({ status: 8, identifier: 2 });
  expect(gateway.takeOutput()?.toString("hex")).toBe("080800000002");
  expect(gateway).toMatchObject({ isOpen: false, hasSaidAll: true });
});

test("the first error response is the last word", () => {
  const { gateway, heard } = open();
  gateway.receive(Buffer.concat([Buffer.from([9]), frame(1)]));
  gateway.fail({ status: 10, identifier: 1 });
  gateway.writeRaw(Buffer.from("more"));
  gateway.refuse();
  gateway.receive(frame(2));
  expect(gateway.takeOutput()?.toString("hex")).toBe("088000000000");
  expect(gateway.takeOutput()).toBeUndefined();
  expect(heard).toEqual([{ status: 128 }]);
  expect(gateway.hasSaidAll).toBe(true);
});

test("an end without a word is an end", () => {
  const { gateway, heard } = open();
  gateway.end();
  gateway.fail({ status: 10, identifier: 1 });
  gateway.receive(frame(1));
  expect(gateway.takeOutput()).toBeUndefined();
  expect({ heard, hasSaidAll: gateway.hasSaidAll }).toEqual({ heard: [], hasSaidAll: true });
});

test("any bytes go out before the last word, in order", () => {
  const { gateway } = open();
  gateway.writeRaw(Buffer.from([0xff]));
  gateway.fail({ status: 1, identifier: 2 });
  expect(gateway.takeOutput()?.toString("hex")).toBe("ff080100000002");
});
