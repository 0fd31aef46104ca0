import { once } from "node:events";
import { connect, type Socket } from "node:net";
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

test("a follower that stops reading is cut, and its last cursor goes on: nothing is missing, nothing comes twice", async () => {
  const api = await openTestApi();
  // More than the sockets on the way hold.
  const [count, text] = [4_000, "x".repeat(10_000)];
  await append(api, ...Array<string>(count).fill(text));
  await api.server.listen({ port: 0, host: "127.0.0.1" });
  const { port } = api.server.server.address() as { port: number };

  const stopped = follow(port, "0");
  await once(stopped.socket, "readable");
  const cut = "a follower of events took nothing and was cut";
  while (!api.log().includes(cut)) await api.clock.pass(1_000);
  stopped.read();
  await once(stopped.socket, "close");
  const first = stopped.cursors();
  expect(first.length).toBeGreaterThan(0);
  expect(first.length).toBeLessThan(count);

  const again = follow(port, first.at(-1) ?? "");
  again.read();
  while (first.length + again.cursors().length < count) await once(again.socket, "data");
  const all = Array.from({ length: count }, (_, index) => String(index + 1));
  expect([...first, ...again.cursors()]).toEqual(all);
  expect(api.log().split(cut)).toHaveLength(2);
  again.socket.destroy();
  await api.server.close();
});

/** A follower on a bare socket, which takes nothing before it reads; what came is counted when it is whole. */
function follow(port: number, last: string): { socket: Socket; read(): void; cursors(): readonly string[] } {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  socket.write(
    `GET /v1/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${adminKey}\r\n` +
      `accept: text/event-stream\r\nlast-event-id: ${last}\r\n\r\n`,
  );
  const cursors: string[] = [];
  let rest = "";
  return {
    socket,
    read: () =>
      void socket.on("data", (chunk) => {
        const blocks = (rest + chunk.toString("latin1")).split("\n\n");
        rest = blocks.pop() ?? "";
        for (const block of blocks) {
          const id = /^id: (\d+)\nevent: /m.exec(block)?.[1];
          if (id !== undefined) cursors.push(id);
        }
      }),
    cursors: () => cursors,
  };
}
