import type { Readable } from "node:stream";
import Fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import type { Logger } from "pino";
import type { App, Apps } from "../apps/index.ts";
import type { Delivery } from "../delivery/index.ts";
import type { Outcomes, Webhooks } from "../outcomes/index.ts";
import { Tracer } from "../trace/index.ts";
import { requireKey } from "./keys/require-key.ts";
import {
  answerBrokenRequest,
  answerNoRoute,
  answerProblems,
  badAddress,
  sendProblem,
} from "./problems/answer-problems.ts";
import { ApiProblem } from "./problems/api-problem.ts";
import { appRoutes } from "./routes/apps.ts";
import { documentationRoutes } from "./routes/documentation.ts";
import { eventRoutes } from "./routes/events.ts";
import { feedbackRoutes } from "./routes/feedback.ts";
import { notificationRecordRoutes } from "./routes/notification-records.ts";
import { notificationRoutes } from "./routes/notifications.ts";
import { operationRoutes } from "./routes/operation.ts";
import { queryValidator } from "./routes/query-validator.ts";
import { RouteTable } from "./routes/route-table.ts";
import { traceRoutes } from "./routes/trace.ts";
import { webhookRoutes } from "./routes/webhooks.ts";
import { secureAnswers } from "./security-headers.ts";
import { type BodyLimits, BodyReader } from "./submission/body-reader.ts";
import { openBody } from "./submission/body-stream.ts";

export interface ApiOptions {
  readonly apps: Apps;
  readonly delivery: Delivery;
  readonly outcomes: Outcomes;
  readonly webhooks: Webhooks;
  readonly adminKey: string;
  readonly logger: Logger;
  readonly version: string;
  readonly bodyLimits?: BodyLimits;
}

/** What one client, or many of them, may take of the server. */
const connectionLimits = {
  connections: 4_096,
  /** All headers of one request. */
  headerBytes: 16_384,
  headersTimeoutMs: 20_000,
  /** What of a request is not there when its answer has gone out. */
  unreadTimeoutMs: 10_000,
  /** Without a byte in either direction; longer than a caller may wait for a final state. */
  idleTimeoutMs: 120_000,
  keepAliveTimeoutMs: 72_000,
} as const;

/** The HTTP server with all its routes, not yet listening. */
export async function createApi(options: ApiOptions): Promise<FastifyInstance> {
  const { apps, delivery, adminKey, logger } = options;
  const server = createServer();
  server.server.maxConnections = connectionLimits.connections;
  const table = new RouteTable(server);
  answerProblems(server, logger);
  answerNoRoute(server, (path) => table.allowedMethods(path));
  server.setValidatorCompiler(queryValidator);
  server.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  takeJson(server);
  logRequests(server, logger);
  letGoOfUnread(server);
  await secureAnswers(server);
  await documentationRoutes(server, options.version);
  operationRoutes(server, { delivery, apps });
  const bodies = new BodyReader(options.bodyLimits);
  const appOf = (name: string): App => findApp(apps, name);
  const guarded = (prefix: string, add: (scope: FastifyInstance) => void): PromiseLike<unknown> =>
    server.register(
      (scope, _options, done) => {
        scope.addHook("onRequest", async (request, reply) => {
          requireKey(request, adminKey);
          reply.header("cache-control", "no-store");
        });
        add(scope);
        done();
      },
      { prefix },
    );
  await guarded("/v1/apps", (scope) => appRoutes(scope, { apps, delivery, bodies, appOf }));
  const { feedback, incidents } = options.outcomes;
  await guarded("/v1/apps/:app", (scope) => notificationRoutes(scope, { delivery, feedback, bodies, appOf }));
  await guarded("/v1/apps/:app", (scope) => notificationRecordRoutes(scope, { delivery, appOf }));
  const tracer = new Tracer({
    ...{ delivery, outcomes: options.outcomes, webhooks: options.webhooks, now: Date.now },
    rateOf: (name) => apps.find(name)?.config.rateLimit,
    connectionOf: (name, environment) => apps.waitingFor(name, environment),
  });
  await guarded("/v1/apps/:app", (scope) => traceRoutes(scope, { tracer, appOf }));
  await guarded("/v1/apps/:app", (scope) => feedbackRoutes(scope, { feedback, incidents, appOf }));
  await guarded("/v1", (scope) => eventRoutes(scope, options.outcomes));
  const { webhooks } = options;
  await guarded("/v1", (scope) => webhookRoutes(scope, { webhooks, assertApp: (name) => void appOf(name) }));
  await server.ready();
  return server;
}

function createServer(): FastifyInstance {
  return Fastify({
    http: { maxHeaderSize: connectionLimits.headerBytes, headersTimeout: connectionLimits.headersTimeoutMs },
    // A body of lines may go on for as long as it does; others are timed where they are read.
    requestTimeout: 0,
    connectionTimeout: connectionLimits.idleTimeoutMs,
    keepAliveTimeout: connectionLimits.keepAliveTimeoutMs,
    // While closing, requests on open connections still get an answer of the API.
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1_000 },
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (_error, _request, reply) => sendProblem(reply, badAddress()),
  });
}

/** Bodies are handed on as streams; whoever wants one reads it. */
function takeJson(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(
    ["application/json", "application/x-ndjson"],
    async (request: FastifyRequest, body: Readable) => openBody(body, request.headers),
  );
}

function findApp(apps: Apps, name: string): App {
  const app = apps.find(name);
  if (app !== undefined) return app;
  throw new ApiProblem(
    "no-such-app",
    "The configuration has no app of this name. Correct the name in the address, or add the app.",
  );
}

/** Nobody reads on after the answer, and a caller who goes on sending must not hold the connection. */
function letGoOfUnread(server: FastifyInstance): void {
  server.addHook("onResponse", ({ raw }, _reply, done) => {
    if (!raw.complete) {
      const timer = setTimeout(() => raw.destroy(), connectionLimits.unreadTimeoutMs).unref();
      raw.once("end", () => clearTimeout(timer));
      raw.once("close", () => clearTimeout(timer));
    }
    done();
  });
}

/** One line for each request, without its query, headers and body. */
function logRequests(server: FastifyInstance, logger: Logger): void {
  server.addHook("onResponse", (request, reply, done) => {
    const route = request.routeOptions.url;
    logger.debug(
      { method: request.method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) },
      "request",
    );
    done();
  });
}
