import Fastify, { type FastifyInstance } from "fastify";
import type { Logger } from "pino";
import type { Apps } from "../apps/index.ts";
import type { Delivery } from "../delivery/index.ts";

export interface ApiOptions {
  readonly apps: Apps;
  readonly delivery: Delivery;
  readonly adminKey: string;
  readonly logger: Logger;
}

/** The HTTP server with all its routes, not yet listening. */
export async function createApi(options: ApiOptions): Promise<FastifyInstance> {
  const server = Fastify({ return503OnClosing: false });
  server.get("/healthz", () => ({ status: options.delivery.health.state === "failed" ? "failed" : "ok" }));
  return server;
}
