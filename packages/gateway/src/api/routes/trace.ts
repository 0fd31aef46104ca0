import type { FastifyInstance } from "fastify";
import type { App } from "../../apps/index.ts";
import type { Tracer } from "../../trace/index.ts";
import { traceSchema } from "../contract/trace.ts";
import { problemResponses } from "../problems/problem-responses.ts";
import {
  noSuchNotification,
  type OneNotification,
  ofNotifications,
  oneNotification,
} from "./notification-records.ts";

export interface TraceRoutesOptions {
  readonly tracer: Tracer;
  /** The app that a path names. @throws {ApiProblem} there is none */
  readonly appOf: (name: string) => App;
}

/** Why a notification rang or did not. The prefix is `/v1/apps/:app`. */
export function traceRoutes(server: FastifyInstance, { tracer, appOf }: TraceRoutesOptions): void {
  server.get<OneNotification>(
    "/notifications/:id/trace",
    {
      schema: {
        ...ofNotifications,
        summary: "Why it rang, or did not",
        description:
          "All that is known of one notification, step by step in plain words: taken, waiting, each attempt with its connection and Apple's " +
          "answer, how it ended, the event that told it, the verdict on its device token, and the webhooks. There is no index of events by " +
          "notification: they are looked for by their time, among 200,000 at most, and `notes` says when that was not enough.",
        params: oneNotification,
        response: {
          200: traceSchema,
          ...problemResponses("unauthorized", "no-such-app", "no-such-notification", "store-failed"),
        },
      },
    },
    async ({ params }) => {
      const trace = await tracer.trace(appOf(params.app).config.name, params.id);
      if (trace === undefined) throw noSuchNotification();
      return trace;
    },
  );
}
