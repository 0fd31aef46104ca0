import { parseDeviceToken } from "@carillon/apns";
import type { FastifyInstance } from "fastify";
import Type from "typebox";
import type { App } from "../../apps/index.ts";
import { explainReason, type Outcomes } from "../../outcomes/index.ts";
import {
  type FeedbackQuery,
  feedbackPageSchema,
  feedbackQuerySchema,
  incidentsSchema,
  restoredSchema,
} from "../contract/feedback.ts";
import { ApiProblem } from "../problems/api-problem.ts";
import { problemResponses } from "../problems/problem-responses.ts";

export interface FeedbackRoutesOptions extends Pick<Outcomes, "feedback" | "incidents"> {
  /** The app that a path names. @throws {ApiProblem} there is none */
  readonly appOf: (name: string) => App;
}

const usualLimit = 100;
const shared = { tags: ["outcomes"], security: [{ key: [] }] };
const appParameter = { app: Type.String({ description: "The app's name in the configuration." }) };

/** What is wrong with an app's device tokens and notifications. The prefix is `/v1/apps/:app`. */
export function feedbackRoutes(server: FastifyInstance, options: FeedbackRoutesOptions): void {
  const { feedback, incidents, appOf } = options;

  server.get<{ Params: { app: string }; Querystring: FeedbackQuery }>(
    "/feedback",
    {
      schema: {
        ...shared,
        summary: "Device tokens that are gone or suspect",
        params: Type.Object(appParameter),
        querystring: feedbackQuerySchema,
        response: {
          200: feedbackPageSchema,
          ...problemResponses("unauthorized", "no-such-app", "invalid", "store-failed"),
        },
      },
    },
    async ({ params, query }) => {
      const { after = "0", limit = usualLimit } = query;
      return feedback.list(appOf(params.app).config.name, Number(after), limit);
    },
  );

  server.post<{ Params: { app: string; token: string } }>(
    "/feedback/:token/restore",
    {
      schema: {
        ...shared,
        summary: "Take back what is held against a device token",
        params: Type.Object({ ...appParameter, token: Type.String({ description: "The device token." }) }),
        response: {
          200: restoredSchema,
          ...problemResponses("unauthorized", "no-such-app", "invalid", "store-failed"),
        },
      },
    },
    async ({ params }) => {
      const app = appOf(params.app);
      if (parseDeviceToken(params.token) === undefined)
        throw new ApiProblem(
          "invalid",
          "The address names no device token: hex digits, 2 for each byte. Nothing was done.",
        );
      return { restored: await feedback.restore(app.config.name, params.token.toLowerCase()) };
    },
  );

  server.get<{ Params: { app: string } }>(
    "/incidents",
    {
      schema: {
        ...shared,
        summary: "Equal failures, counted",
        params: Type.Object(appParameter),
        response: { 200: incidentsSchema, ...problemResponses("unauthorized", "no-such-app") },
      },
    },
    async ({ params }) => {
      const found = incidents.of(appOf(params.app).config.name);
      return {
        items: found.map(({ firstAtMs, lastAtMs, ...incident }) => ({
          ...incident,
          firstAt: new Date(firstAtMs).toISOString(),
          lastAt: new Date(lastAtMs).toISOString(),
          ...explainReason(incident.reason),
        })),
      };
    },
  );
}
