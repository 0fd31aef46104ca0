import { afterEach, expect, test, vi } from "vitest";
import type { AppConfig } from "../config/index.ts";
import type { Note } from "../store/index.ts";
import { adminKey, notificationsPath, openTestApi, type TestApi } from "./api.test-support.ts";

const opened: TestApi[] = [];
afterEach(() => Promise.all(opened.splice(0).map(({ server }) => server.close())));

const batch = "00000000-0000-7000-8000-00000000";
const sinceMs = Date.UTC(2026, 0, 2);
const since = "2026-01-02T00:00:00.000Z";
const goneOne = "aa".repeat(32);
const goneTwo = "bb".repeat(32);

/** Two device tokens are gone in the sandbox. */
async function open(choice: "deny" | "send" | "nothing" = "deny", more: Partial<AppConfig> = {}) {
  const api = await openTestApi({ app: choice === "nothing" ? {} : { goneTokens: choice, ...more } });
  opened.push(api);
  const { store, clock } = api;
  const queue = { app: "demo", environment: "sandbox", lane: "normal" };
  const rest = { kind: "original", body: new Uint8Array(1), ownIds: [], dueAtMs: 1, storedAtMs: 1 } as const;
  await store.add([{ id: batch, queue, count: 2, ...rest }]);
  const notes: Note[] = [goneOne, goneTwo].map((deviceToken, place) => ({
    ...{ batch, place, status: "rejected", reason: "Unregistered", attempts: "" },
    verdict: {
      ...{ app: "demo", environment: "sandbox", deviceToken, reason: "Unregistered", sinceMs },
      ...{ verdict: "gone" as const, notificationId: `${batch}000${place}` },
    },
  }));
  await store.settle({ node: "n", atMs: clock.now(), batches: [], notes, retries: [] });
  const lookups = vi.spyOn(store, "findGone");
  const lines = async (texts: readonly string[], query = "", headers: Record<string, string> = {}) => {
    const { statusCode, payload } = await api.server.inject({
      ...{ method: "POST", url: `${notificationsPath}${query}`, payload: `${texts.join("\n")}\n` },
      headers: {
        authorization: `Bearer ${adminKey}`,
        "content-type": "application/x-ndjson",
        ...headers,
      },
    });
    return { status: statusCode, text: payload };
  };
  const sent = () =>
    api.delivery.submissions.flatMap(({ drafts }) => drafts.flatMap(({ deviceTokens }) => deviceTokens));
  return { ...api, lookups, lines, sent };
}

const to = (token: string, more: object = {}) => ({ to: { token }, payload: { aps: {} }, ...more });
const good = (digit: number): string => digit.toString(16).padStart(2, "0").repeat(32);
const denied = (pointer: string) => ({
  ...{ pointer, reason: "Unregistered", since },
  detail: expect.stringMatching(/gone since 2026.*registeredAt/),
});

test("one notification to a device token that is gone is 422, with the reason and since when", async () => {
  const { post, sent } = await open();
  // The second one has a form that is known.
  for (const token of [goneOne, goneTwo.toUpperCase()]) {
    const { status, body } = await post(to(token));
    expect([status, body.errors]).toEqual([422, [denied("/to")]]);
  }
  expect((await post(to(goneOne), "?validate=true")).status).toBe(422);
  expect(sent()).toEqual([]);
});

test("an app that says nothing, or send, sends to them and looks nothing up", async () => {
  for (const choice of ["nothing", "send"] as const) {
    const { post, lines, lookups, sent } = await open(choice);
    expect((await post(to(goneOne))).status).toBe(202);
    expect((await lines([JSON.stringify(to(goneTwo))])).status).toBe(202);
    expect(sent()).toEqual([goneOne, goneTwo]);
    expect(lookups).not.toHaveBeenCalled();
  }
});

test("in a list the error stands in the place of each, by the rules and in known forms, after one look", async () => {
  const { post, sent, lookups } = await open();
  const tokens = [good(1), goneOne, good(2), good(3), goneTwo];
  const body = { notifications: tokens.map((token) => to(token)) };
  for (let times = 0; times < 2; times += 1) {
    const { status, body: answer } = await post(body);
    expect(status).toBe(202);
    expect(answer.results).toEqual(
      tokens.map((token, at) =>
        [goneOne, goneTwo].includes(token)
          ? { error: expect.objectContaining({ status: 422, errors: [denied(`/notifications/${at}/to`)] }) }
          : { id: expect.any(String), status: "queued" },
      ),
    );
  }
  const left = [good(1), good(2), good(3)];
  expect(sent()).toEqual([...left, ...left]);
  expect(lookups).toHaveBeenCalledTimes(2);
});

test("of many device tokens of one notification the others are taken, and their payload is the same", async () => {
  const { post, delivery } = await open();
  const tokens = [goneOne, good(1), good(2), goneTwo, good(3)];
  for (let times = 0; times < 2; times += 1) {
    const { body } = await post({ to: { tokens }, payload: { aps: { alert: "Hello" } } });
    expect(body.results.map(({ id, error }: { id?: string; error?: object }) => error ?? typeof id)).toEqual([
      expect.objectContaining({ errors: [denied("/to/tokens/0")] }),
      ...["string", "string"],
      expect.objectContaining({ errors: [denied("/to/tokens/3")] }),
      "string",
    ]);
  }
  const drafts = delivery.submissions.flatMap(({ drafts }) => drafts);
  expect(new Set(drafts.map(({ payload }) => String(payload)))).toEqual(
    new Set(['{"aps":{"alert":"Hello"}}']),
  );
  expect((await post({ to: { tokens: [goneOne, goneTwo] }, payload: { aps: {} } })).status).toBe(422);
});

test("what registered again since then passes, and so does the other environment", async () => {
  const { post } = await open();
  const at = (registeredAtMs: number) => ({ registeredAt: new Date(registeredAtMs).toISOString() });
  for (let times = 0; times < 2; times += 1) {
    expect((await post(to(goneOne, at(sinceMs)))).status).toBe(202);
    expect((await post(to(goneOne, at(sinceMs - 1)))).status).toBe(422);
    expect((await post(to(goneOne, { environment: "production" }))).status).toBe(202);
  }
});

test("lines are counted and named, after one look for all that go to disk together", async () => {
  const { lines, lookups, sent } = await open();
  const texts = [good(1), good(2), goneOne, good(3), goneTwo, goneOne].map((token) =>
    JSON.stringify(to(token)),
  );
  const { status, text } = await lines(texts);
  expect([status, JSON.parse(text)]).toEqual([
    202,
    {
      ...{ accepted: 3, rejected: 3 },
      errors: [3, 5, 6].map((line) => ({ line, ...denied("/to") })),
    },
  ]);
  expect(sent()).toEqual([good(1), good(2), good(3)]);
  expect(lookups).toHaveBeenCalledTimes(1);
  expect((await lines([JSON.stringify(to(goneOne))])).status).toBe(422);
});

test("a line of answer for each line holds the errors where they belong", async () => {
  const { lines } = await open();
  const many = (tokens: readonly string[]) => JSON.stringify({ to: { tokens }, payload: { aps: {} } });
  const { text } = await lines(
    [
      many([good(1), goneOne, good(2)]),
      many([goneOne, goneTwo, good(2)]),
      ...[goneOne, good(4)].map((token) => JSON.stringify(to(token))),
    ],
    "?results=each",
  );
  const taken = { id: expect.any(String), status: "queued" };
  const refused = (pointer: string) => ({ error: expect.objectContaining({ errors: [denied(pointer)] }) });
  expect(
    text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { line: 1, results: [taken, refused("/to/tokens/1"), taken] },
    { line: 2, results: [refused("/to/tokens/0"), refused("/to/tokens/1"), taken] },
    { line: 3, ...refused("/to") },
    { line: 4, results: [taken] },
  ]);
});

test("under a key the first answer stays, also when the verdict is taken back meanwhile", async () => {
  const { server, outcomes, lines, sent } = await open();
  const headers = { authorization: `Bearer ${adminKey}`, "idempotency-key": "one" };
  const payload = { notifications: [to(good(1)), to(goneOne)] };
  const post = () => server.inject({ method: "POST", url: notificationsPath, headers, payload });
  const texts = [good(2), goneTwo].map((token) => JSON.stringify(to(token)));
  const postLines = () => lines(texts, "", { "idempotency-key": "two" });
  const first = [(await post()).json(), (await postLines()).text];
  for (const token of [goneOne, goneTwo]) await outcomes.feedback.restore("demo", token);
  expect([(await post()).json(), (await postLines()).text]).toEqual(first);
  expect(JSON.parse(String(first[1]))).toMatchObject({ accepted: 1, rejected: 1 });
  expect(sent()).toEqual([good(1), good(2)]);
});

test("where the environment may turn out to be the other one, what is gone in either is refused", async () => {
  const { post, lines, delivery } = await open("deny", {
    environment: "production",
    resolveEnvironment: true,
  });
  for (const token of [goneOne, goneTwo])
    expect((await post(to(token))).body.errors).toEqual([denied("/to")]);
  expect((await post(to(goneOne, { environment: "production" }))).status).toBe(202);
  const { text } = await lines([good(1), goneOne, good(2)].map((token) => JSON.stringify(to(token))));
  expect(JSON.parse(text)).toMatchObject({ accepted: 2, rejected: 1 });
  expect(delivery.submissions.flatMap(({ drafts }) => drafts.map((each) => each.environmentChoice))).toEqual([
    ...[undefined, "open", "open"],
  ]);
});
