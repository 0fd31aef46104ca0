import type { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import Type from "typebox";
import type { App, Apps } from "../../apps/index.ts";
import { findSchemaProblems } from "../../config/index.ts";
import type { Delivery } from "../../delivery/index.ts";
import { type AppAnswer, appSchema, appsSchema, pauseSchema } from "../contract/apps.ts";
import { ApiProblem } from "../problems/api-problem.ts";
import { problemResponses } from "../problems/problem-responses.ts";
import type { BodyReader } from "../submission/body-reader.ts";

export interface AppRoutesOptions {
  readonly apps: Apps;
  readonly delivery: Delivery;
  readonly bodies: BodyReader;
  /** The app that a path names. @throws {ApiProblem} there is none */
  readonly appOf: (name: string) => App;
}

const tags = ["apps"];
const security = [{ key: [] }];
const params = Type.Object({ app: Type.String({ description: "The app's name in the configuration." }) });

/** How the apps are doing, and stopping them by hand. The prefix is `/v1/apps`. */
export function appRoutes(
  server: FastifyInstance,
  { apps, delivery, bodies, appOf }: AppRoutesOptions,
): void {
  server.get(
    "/",
    {
      schema: {
        tags,
        security,
        summary: "All apps, and how they are doing",
        response: { 200: appsSchema, ...problemResponses("unauthorized") },
      },
    },
    () => ({ items: Array.from(apps.all, (app) => describeApp(app, apps, delivery)) }),
  );

  server.get<{ Params: { app: string } }>(
    "/:app",
    {
      schema: {
        tags,
        security,
        summary: "One app, and how it is doing",
        params,
        response: { 200: appSchema, ...problemResponses("unauthorized", "no-such-app") },
      },
    },
    (request) => describeApp(appOf(request.params.app), apps, delivery),
  );

  server.post<{ Params: { app: string }; Body: Readable | undefined }>(
    "/:app/pause",
    {
      schema: {
        tags,
        security,
        summary: "Send nothing of an app until it is resumed",
        description:
          "Notifications are taken as before and wait; what is in flight is settled. The pause outlives a new start. " +
          "An app that is paused already gets the new reason. The body may be left out.",
        params,
        body: pauseSchema,
        response: {
          200: appSchema,
          ...problemResponses(
            "malformed-request",
            "unauthorized",
            "no-such-app",
            "body-too-large",
            "unsupported-media-type",
            "invalid",
            "queue-full",
            "store-failed",
          ),
        },
      },
    },
    async (request) => {
      const app = appOf(request.params.app);
      const announcedBytes = Number(request.headers["content-length"] ?? 0);
      const reason = await bodies.read(request.body, announcedBytes, readReason);
      await delivery.pause(app.config.name, reason);
      return describeApp(app, apps, delivery);
    },
  );

  server.post<{ Params: { app: string } }>(
    "/:app/resume",
    {
      schema: {
        tags,
        security,
        summary: "Let a paused app send again",
        description: "Without effect on an app that is not paused. What lies in the body is not looked at.",
        params,
        response: {
          200: appSchema,
          ...problemResponses("unauthorized", "no-such-app", "queue-full", "store-failed"),
        },
      },
    },
    async (request) => {
      const app = appOf(request.params.app);
      await delivery.resume(app.config.name);
      return describeApp(app, apps, delivery);
    },
  );
}

function readReason(body: Buffer): string | undefined {
  if (body.length === 0) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    throw new ApiProblem("malformed-request", 'The body is no JSON. Send {"reason": "…"}, or no body.');
  }
  const problems = findSchemaProblems(pauseSchema, value);
  if (problems.length === 0) return (value as { reason?: string }).reason;
  const errors = problems.map(({ path, detail }) => ({
    pointer: path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join(""),
    detail,
  }));
  throw new ApiProblem("invalid", "Nothing was changed.", errors);
}

function describeApp({ config, environments }: App, apps: Apps, delivery: Delivery): AppAnswer {
  const { name, topic, environment, rateLimit } = config;
  const { pause, queued, queuedBytes, inFlight, routes } = delivery.status(name);
  return {
    ...{ name, topic, environment },
    ...(rateLimit === undefined ? {} : { rateLimit }),
    ...(pause === undefined ? {} : { paused: describePause(pause) }),
    ...{ queued, queuedBytes, inFlight },
    routes: environments.map((each) => {
      const route = routes.find((known) => known.environment === each);
      const waitingFor = delivery.waitingFor(name, each) ?? apps.waitingFor(name, each);
      return {
        environment: each,
        inFlight: route?.inFlight ?? 0,
        unanswered: route?.unanswered ?? 0,
        ...(route === undefined ? {} : { maxUnanswered: route.maxUnanswered }),
        breaker: route?.breaker ?? "open",
        ...(waitingFor === undefined ? {} : { waitingFor }),
        environmentSuspect: route?.isEnvironmentSuspect ?? false,
      };
    }),
  };
}

type Pause = NonNullable<ReturnType<Delivery["status"]>["pause"]>;

function describePause({ sinceMs, reason }: Pause): AppAnswer["paused"] & {} {
  return { since: new Date(sinceMs).toISOString(), ...(reason === undefined ? {} : { reason }) };
}
