import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deviceToken, notificationsPath, openTestApi, type TestApi } from "./api.test-support.ts";
import {
  finalResultsSchema,
  healthSchema,
  notificationRecordSchema,
  problemSchema,
  queuedResultsSchema,
  readinessSchema,
  validatedSchema,
} from "./contract/answers.ts";

interface Operation {
  readonly summary?: string;
  readonly security?: unknown;
  readonly requestBody?: { readonly content: Record<string, { readonly schema: unknown }> };
  readonly responses: Record<string, unknown>;
}

let api: TestApi;
let paths: Record<string, Record<string, Operation>>;

beforeAll(async () => {
  api = await openTestApi();
  paths = (await api.get("/openapi.json")).body.paths;
});
afterAll(() => api.server.close());

/** `GET /healthz`, as the router knows it. */
function routesOfRouter(): string[] {
  const routes: string[] = [];
  const stack: string[] = [];
  for (const line of api.server.printRoutes({ commonPrefix: false }).split("\n")) {
    const [, indent = "", name = "", methods = ""] = /^([│ ├└─]*)(\S*) \(([A-Z, ]+)\)/.exec(line) ?? [];
    if (methods === "") continue;
    const depth = Math.max(indent.length / 4 - 1, 0);
    stack.length = depth;
    stack[depth] = name;
    for (const method of methods.split(", "))
      if (method !== "HEAD") routes.push(`${method} ${stack.join("") || "/"}`);
  }
  return routes;
}

test("every route is documented and nothing else is", () => {
  const shown = routesOfRouter()
    .filter((route) => !/ (?:\/docs|\/openapi\.json)/.test(route))
    .map((route) => route.replaceAll(/:(\w+)/g, "{$1}").replace(/(?<=\w)\/$/, ""));
  const documented = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(documented.length).toBeGreaterThan(4);
  expect(documented.sort()).toEqual([...new Set(shown)].sort());
});

test("every operation has a summary, says whether it needs a key, and which problems it answers with", () => {
  for (const [path, operations] of Object.entries(paths)) {
    for (const operation of Object.values(operations)) {
      expect(operation.summary).toBeTruthy();
      expect(operation.security !== undefined).toBe(path.startsWith("/v1/"));
      if (path.startsWith("/v1/")) expect(Object.keys(operation.responses)).toContain("401");
    }
  }
});

test("the documented body is the schema that validates", () => {
  const body = paths["/v1/apps/{app}/notifications"]?.post?.requestBody?.content["application/json"]
    ?.schema as {
    anyOf: { properties: Record<string, { enum?: unknown }> }[];
  };
  const [one, list] = body.anyOf;
  expect(one?.properties.lane?.enum).toEqual(["urgent", "normal", "bulk"]);
  expect(Object.keys(list?.properties ?? {})).toEqual(["notifications"]);
});

test("answers have the documented form", async () => {
  const hello = { to: { token: deviceToken }, alert: "Hello", reference: "7" };
  const conforms = (schema: TSchema, answer: { body: unknown }): void => {
    const validator = Compile(schema);
    expect([...validator.Errors(answer.body)]).toEqual([]);
  };
  const queued = await api.post({ notifications: [hello, {}] });
  conforms(queuedResultsSchema, queued);
  conforms(finalResultsSchema, await api.post({ notifications: [hello, {}] }, "?wait=0"));
  conforms(validatedSchema, await api.post({ notifications: [hello, {}] }, "?validate=true"));
  conforms(notificationRecordSchema, await api.get(`${notificationsPath}/${queued.body.results[0].id}`));
  conforms(healthSchema, await api.get("/healthz"));
  conforms(readinessSchema, await api.get("/readyz"));
  for (const answer of [
    await api.post({}),
    await api.post("{"),
    await api.get("/nope"),
    await api.post(hello, "?x=1"),
  ])
    conforms(problemSchema, answer);
});

test("the page of the documentation and all it loads come from here", async () => {
  const page = await api.server.inject({ url: "/docs" });
  expect(page.statusCode).toBe(200);
  expect(page.headers["content-security-policy"]).not.toMatch(/script-src[^;]*unsafe/);
  const parts = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url ?? "");
  expect(parts.length).toBeGreaterThan(4);
  for (const url of parts) {
    expect(url).toMatch(/^\/docs\/static\//);
    expect((await api.server.inject({ url })).statusCode).toBe(200);
  }
  expect(page.body).not.toMatch(/<script>|https?:\/\//);
});
