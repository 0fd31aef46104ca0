import { expect, test } from "vitest";
import { adminKey, openTestApi, type TestApi } from "./api.test-support.ts";

async function append({ store, clock }: TestApi, ...names: readonly string[]): Promise<void> {
  const events = names.map((name) => ({ app: "demo", type: "token.gone", data: JSON.stringify({ name }) }));
  await store.appendEvents(events, clock.now());
}

test("events are read page by page, by app and by type", async () => {
  const api = await openTestApi();
  await append(api, "a", "b", "c");
  const first = await api.get("/v1/events?limit=2");
  expect(first.status).toBe(200);
  expect(first.body.items).toMatchObject([
    { cursor: "1", app: "demo", type: "token.gone", data: { name: "a" } },
    {},
  ]);
  const rest = await api.get(
    `/v1/events?after=${first.body.cursor}&app=demo&types=token.gone,token.restored`,
  );
  expect(rest.body).toMatchObject({ items: [{ cursor: "3", data: { name: "c" } }], cursor: "3" });
  expect((await api.get("/v1/events?app=other")).body).toEqual({ items: [], cursor: "3" });
  expect((await api.get("/v1/events?after=latest")).body).toEqual({ items: [], cursor: "3" });
});

test("what is wrong with the question is told, with what to ask instead", async () => {
  const api = await openTestApi();
  await append(api, "a");
  for (const [query, parameter] of [
    ["after=7", "after"],
    ["after=soon", "after"],
    ["types=token.lost", "types"],
    ["limit=0", "limit"],
    ["from=1", "from"],
  ]) {
    const { status, body } = await api.get(`/v1/events?${query}`);
    expect([status, body.errors[0].parameter], query).toEqual([422, parameter]);
  }
});

test("a cursor that is too old is answered by 410 with the one to go on from", async () => {
  const api = await openTestApi();
  await append(api, "a", "b");
  api.clock.jump(8 * 86_400_000);
  await append(api, "c");
  await api.clock.pass(61_000);
  const { status, body } = await api.get("/v1/events?after=0");
  expect([status, body.type]).toEqual([410, "urn:carillon:problem:cursor-too-old"]);
  expect(body.detail).toContain("after=2");
  expect((await api.get("/v1/events?after=2")).body.items).toHaveLength(1);
});

test("events need the key", async () => {
  const { server } = await openTestApi();
  expect((await server.inject({ url: "/v1/events" })).statusCode).toBe(401);
});

test("the stream goes on after Last-Event-ID, and no more follow than may", async () => {
  const api = await openTestApi();
  await append(api, "a", "b");
  await api.server.listen({ port: 0, host: "127.0.0.1" });
  const { port } = api.server.server.address() as { port: number };
  const gone = new AbortController();
  const follow = (last: string, query = "") =>
    fetch(`http://127.0.0.1:${port}/v1/events${query}`, {
      headers: { authorization: `Bearer ${adminKey}`, accept: "text/event-stream", "last-event-id": last },
      signal: gone.signal,
    });
  const answer = await follow("1", "?after=0");
  expect(answer.headers.get("content-type")).toBe("text/event-stream");
  const reader = answer.body?.getReader();
  let text = "";
  while (!text.includes("id: 2")) text += Buffer.from((await reader?.read())?.value ?? []).toString();
  expect(text).not.toContain("id: 1");
  expect((await follow("9")).status).toBe(422);
  await follow("1");
  const third = await follow("1");
  expect([third.status, third.headers.get("retry-after")]).toEqual([503, "30"]);
  await third.text();
  gone.abort();
  await api.server.close();
});
