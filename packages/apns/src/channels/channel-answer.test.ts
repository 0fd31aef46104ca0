import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readBroadcast, readChannel, readCreated, readDeleted, readList } from "./channel-answer.ts";
import type { Carried, ChannelRequest } from "./channel-request.ts";

const request: ChannelRequest = {
  method: "GET",
  path: "/1/apps/com.example.app/channels",
  channelId: undefined,
  requestId: "r-1",
  priority: undefined,
  expirationSeconds: undefined,
  pushType: undefined,
  payload: "",
  payloadBytes: 0,
  delivery: "at-least-once",
};
const about = { requestId: "r-1", attempts: 2 };

function carried(status: number, body = "", fields: readonly string[] = []): Carried {
  return {
    outcome: { kind: "accepted", apnsId: "r-1", attempts: 2 },
    answer: { fields: [":status", String(status), ...fields], body: Buffer.from(body) },
  };
}

test("the five successes are read as Apple's pages show them", () => {
  const created = carried(201, "", ["apns-request-id", "r-1", "apns-channel-id", "dHN0"]);
  expect(readCreated(request, created)).toEqual({ kind: "created", channelId: "dHN0", ...about });
  const stored = '{"message-storage-policy":1,"push-type":"LiveActivity"}';
  expect(readChannel(request, carried(200, stored))).toEqual({
    kind: "read",
    storage: "most-recent",
    pushType: "LiveActivity",
    ...about,
  });
  expect(readChannel(request, carried(200, '{"message-storage-policy":"0"}'))).toMatchObject({
    storage: "none",
  });
  expect(readList(request, carried(200, '{"channels":["a","b"]}'))).toEqual({
    kind: "listed",
    channelIds: ["a", "b"],
    ...about,
  });
  expect(readList(request, carried(200))).toMatchObject({ kind: "listed", channelIds: [] });
  expect(readDeleted(request, carried(204))).toEqual({ kind: "deleted", ...about });
  expect(readBroadcast(request, carried(200))).toEqual({ kind: "accepted", ...about });
});

test("a success that makes no sense is unrecognized, with the start of what came", () => {
  expect(readCreated(request, carried(201))).toEqual({
    kind: "unrecognized",
    status: 201,
    reason: "",
    ...about,
  });
  for (const body of ["{", "null", "[]", "{}", '{"message-storage-policy":7}'])
    expect(readChannel(request, carried(200, body))).toEqual({
      kind: "unrecognized",
      status: 200,
      reason: body,
      ...about,
    });
  for (const body of ["{", "null", "{}", '{"channels":[1]}', '{"channels":"a"}'])
    expect(readList(request, carried(200, body))).toMatchObject({ kind: "unrecognized", reason: body });
});

test("everything else keeps its kind, under the request's id", () => {
  const outcome = {
    kind: "rejected",
    status: 400,
    reason: "ChannelNotRegistered",
    apnsId: "r-1",
    attempts: 1,
  } as const;
  const expected = {
    kind: "rejected",
    status: 400,
    reason: "ChannelNotRegistered",
    requestId: "r-1",
    attempts: 1,
  };
  for (const read of [readCreated, readChannel, readList, readDeleted, readBroadcast])
    expect(read(request, { outcome, answer: undefined })).toEqual(expected);
});

test("arbitrary bodies never throw", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
      for (const read of [readChannel, readList]) {
        expect(["read", "listed", "unrecognized"]).toContain(read(request, carried(200, body)).kind);
      }
    }),
  );
});
