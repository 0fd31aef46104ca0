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
  tokenFeedbackSchema,
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
const oneToken = Type.Object({
  ...appParameter,
  token: Type.String({ description: "The device token." }),
});

interface OneToken {
  readonly Params: { readonly app: string; readonly token: string };
}

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

  server.get<OneToken>(
    "/feedback/:token",
    {
      schema: {
        ...shared,
        summary: "What is held against one device token",
        params: oneToken,
        response: {
          200: tokenFeedbackSchema,
          ...problemResponses("unauthorized", "no-such-app", "invalid", "store-failed"),
        },
      },
    },
    async ({ params }) => {
      const app = appOf(params.app);
      return { items: await feedback.of(app.config.name, readToken(params.token)) };
    },
  );

  server.post<OneToken>(
    "/feedback/:token/restore",
    {
      schema: {
        ...shared,
        summary: "Take back what is held against a device token",
        params: oneToken,
        response: {
          200: restoredSchema,
          ...problemResponses("unauthorized", "no-such-app", "invalid", "store-failed"),
        },
      },
    },
    async ({ params }) => {
      const app = appOf(params.app);
      return { restored: await feedback.restore(app.config.name, readToken(params.token)) };
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

/** Lower-case hex. @throws {ApiProblem} it is no device token */
function readToken(text: string): string {
  if (parseDeviceToken(text) !== undefined) return text.toLowerCase();
  throw new ApiProblem(
    "invalid",
    "The address names no device token: hex digits, 2 for each byte. Nothing was done.",
  );
}
