import type { FastifyInstance } from "fastify";
import type { Apps } from "../../apps/index.ts";
import type { Delivery } from "../../delivery/index.ts";
import { healthSchema, readinessSchema, welcomeSchema } from "../contract/answers.ts";

export interface OperationRoutesOptions {
  readonly delivery: Delivery;
  readonly apps: Apps;
}

const tags = ["operation"];
/** So many routes that wait are named. */
const mostWaiting = 100;

/** What orchestrators and newcomers ask first; none of it needs a key. */
export function operationRoutes(server: FastifyInstance, { delivery, apps }: OperationRoutesOptions): void {
  server.get(
    "/",
    { schema: { tags, summary: "Where to go from here", response: { 200: welcomeSchema } } },
    () => ({
      name: "Carillon, a gateway for Apple push notifications",
      next: "POST /v1/apps/{app}/notifications with the header Authorization: Bearer and the key in admin.key in the data folder",
      documentation: "/docs",
      openapi: "/openapi.json",
    }),
  );

  server.get(
    "/healthz",
    {
      schema: {
        tags,
        summary: "Whether this process works",
        description: "503 once the store has failed: the process must be started anew.",
        response: { 200: healthSchema, 503: healthSchema },
      },
    },
    (_request, reply) => {
      const { state, detail } = delivery.health;
      if (state !== "failed") return { status: "ok" };
      reply.status(503);
      return { status: "failed", ...(detail === undefined ? {} : { detail }) };
    },
  );

  server.get(
    "/readyz",
    {
      schema: {
        tags,
        summary: "Whether notifications are taken",
        description:
          "Ready does not mean that Apple can be reached: what is taken then waits, and `waiting` says for what.",
        response: { 200: readinessSchema, 503: readinessSchema },
      },
    },
    (_request, reply) => {
      const { state, detail, queued, inFlight } = delivery.health;
      if (state !== "ready") reply.status(503);
      return {
        status: state,
        ...(detail === undefined ? {} : { detail }),
        queued,
        inFlight,
        waiting: waitingRoutes(delivery, apps),
      };
    },
  );
}

function waitingRoutes(delivery: Delivery, apps: Apps): { app: string; environment: string; for: string }[] {
  const waiting = [];
  for (const { config, environments } of apps.all) {
    for (const environment of environments) {
      const cause =
        delivery.waitingFor(config.name, environment) ?? apps.waitingFor(config.name, environment);
      if (cause !== undefined) waiting.push({ app: config.name, environment, for: cause });
      if (waiting.length >= mostWaiting) return waiting;
    }
  }
  return waiting;
}
