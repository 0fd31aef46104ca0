import type { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import Type from "typebox";
import { type Webhook, type WebhookAttempt, WebhookRefusal, type Webhooks } from "../../outcomes/index.ts";
import {
  attemptsQuerySchema,
  newWebhookSchema,
  replaySchema,
  rotationSchema,
  type WebhookAnswer,
  type WebhookAttemptAnswer,
  webhookAttemptSchema,
  webhookAttemptsSchema,
  webhookListSchema,
  webhookSchema,
  webhookUpdateSchema,
  webhookWithSecretSchema,
} from "../contract/webhooks.ts";
import { ApiProblem } from "../problems/api-problem.ts";
import { problemResponses } from "../problems/problem-responses.ts";
import { ObjectReader } from "../submission/object-reader.ts";

export interface WebhookRoutesOptions {
  readonly webhooks: Webhooks;
  /** @throws {ApiProblem} there is no app of this name */
  readonly assertApp: (name: string) => void;
}

interface Call {
  Params: { id: string };
  Body: Readable | undefined;
}

const tags = ["webhooks"];
const security = [{ key: [] }];
const params = Type.Object({ id: Type.String({ description: "The webhook's id, wh_…." }) });
const defaultOverlapSeconds = 86_400;
const defaultLimit = 20;

/** Endpoints that are told of events. The prefix is `/v1`. */
export function webhookRoutes(server: FastifyInstance, { webhooks, assertApp }: WebhookRoutesOptions): void {
  const objects = new ObjectReader();

  server.post<{ Body: Call["Body"] }>(
    "/webhooks",
    {
      schema: {
        ...{ tags, security, body: newWebhookSchema },
        summary: "Have events posted to an address",
        description:
          "Pages of events, `{items: […]}`, are posted in order, signed by the Standard Webhooks scheme, and again until they are taken. " +
          "The answer has the secret to verify with; it is shown this once.",
        response: {
          201: webhookWithSecretSchema,
          ...problemResponses(
            ...([
              "malformed-request",
              "unauthorized",
              "no-such-app",
              "too-many-webhooks",
              "body-too-large",
            ] as const),
            ...(["unsupported-media-type", "invalid", "stopping", "store-failed"] as const),
          ),
        },
      },
    },
    async (request, reply) => {
      const wanted = await objects.read(request.body, newWebhookSchema);
      if (wanted.app !== undefined) assertApp(wanted.app);
      const { webhook, secret } = await explained(webhooks.create(wanted));
      reply.status(201).header("location", `/v1/webhooks/${webhook.id}`);
      return { ...answerOf(webhook), secret };
    },
  );

  server.get(
    "/webhooks",
    {
      schema: {
        ...{ tags, security },
        summary: "All webhooks, and how they stand",
        response: { 200: webhookListSchema, ...problemResponses("unauthorized") },
      },
    },
    () => ({ items: webhooks.list().map(answerOf) }),
  );

  server.get<Call>(
    "/webhooks/:id",
    {
      schema: {
        ...{ tags, security, params },
        summary: "One webhook, and how it stands",
        response: { 200: webhookSchema, ...problemResponses("unauthorized", "no-such-webhook") },
      },
    },
    (request) => explained(Promise.resolve().then(() => webhooks.find(request.params.id))).then(answerOf),
  );

  server.patch<Call>(
    "/webhooks/:id",
    {
      schema: {
        ...{ tags, security, params, body: webhookUpdateSchema },
        summary: "Change a webhook, stop or resume it",
        response: { 200: webhookSchema, ...changeProblems("no-such-app") },
      },
    },
    async (request) => {
      const { app, ...changes } = await objects.read(request.body, webhookUpdateSchema);
      if (typeof app === "string") assertApp(app);
      const wanted = app === undefined ? changes : { ...changes, app };
      return answerOf(await explained(webhooks.update(request.params.id, wanted)));
    },
  );

  server.delete<Call>(
    "/webhooks/:id",
    {
      schema: {
        ...{ tags, security, params },
        summary: "Forget a webhook and all that is known of it",
        response: {
          204: { description: "It is gone.", type: "null" },
          ...problemResponses("unauthorized", "no-such-webhook", "stopping", "store-failed"),
        },
      },
    },
    async (request, reply) => {
      await explained(webhooks.delete(request.params.id));
      return reply.status(204).send();
    },
  );

  server.post<Call>(
    "/webhooks/:id/rotate",
    {
      schema: {
        ...{ tags, security, params, body: rotationSchema },
        summary: "Make a new secret",
        description:
          "For a while each call carries two signatures, so that receivers can change over. Rotate twice to end the present secret earlier.",
        response: { 200: webhookWithSecretSchema, ...changeProblems() },
      },
    },
    async (request) => {
      const { overlapSeconds = defaultOverlapSeconds } = await objects.read(request.body, rotationSchema);
      const { webhook, secret } = await explained(webhooks.rotate(request.params.id, overlapSeconds * 1_000));
      return { ...answerOf(webhook), secret };
    },
  );

  server.post<Call>(
    "/webhooks/:id/ping",
    {
      schema: {
        ...{ tags, security, params },
        summary: "Post a signed page without events now, and tell how it went",
        response: {
          200: webhookAttemptSchema,
          ...problemResponses("unauthorized", "no-such-webhook", "store-failed"),
        },
      },
    },
    async (request) => answerOfAttempt(await explained(webhooks.ping(request.params.id))),
  );

  server.post<Call>(
    "/webhooks/:id/replay",
    {
      schema: {
        ...{ tags, security, params, body: replaySchema },
        summary: "Deliver again, or go on elsewhere: behind any cursor",
        response: { 200: webhookSchema, ...changeProblems() },
      },
    },
    async (request) => {
      const { after } = await objects.read(request.body, replaySchema);
      return answerOf(await explained(webhooks.replay(request.params.id, after)));
    },
  );

  server.get<Pick<Call, "Params"> & { Querystring: { limit?: number } }>(
    "/webhooks/:id/deliveries",
    {
      schema: {
        ...{ tags, security, params, querystring: attemptsQuerySchema },
        summary: "The latest calls, and how they went",
        response: {
          200: webhookAttemptsSchema,
          ...problemResponses("unauthorized", "no-such-webhook", "invalid", "store-failed"),
        },
      },
    },
    async (request) => {
      const { limit = defaultLimit } = request.query;
      const attempts = await explained(webhooks.deliveries(request.params.id, limit));
      return { items: attempts.map(answerOfAttempt) };
    },
  );
}

function changeProblems(...more: readonly "no-such-app"[]) {
  return problemResponses(
    ...(["malformed-request", "unauthorized", ...more, "no-such-webhook", "body-too-large"] as const),
    ...(["unsupported-media-type", "invalid", "stopping", "store-failed"] as const),
  );
}

const kinds = {
  unknown: "no-such-webhook",
  invalid: "invalid",
  "too-many": "too-many-webhooks",
  stopping: "stopping",
} as const;

/** Refusals in the words of the API. */
async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof WebhookRefusal)) throw error;
    const { kind, field, message } = error;
    if (field === "") throw new ApiProblem(kinds[kind], message);
    throw new ApiProblem(kinds[kind], "Nothing was changed.", [{ pointer: `/${field}`, detail: message }]);
  }
}

function answerOf(webhook: Webhook): WebhookAnswer {
  const { id, url, app, types, description, createdAtMs, standing, cursor } = webhook;
  return {
    ...{ id, url },
    ...(app === undefined ? {} : { app }),
    ...(types === undefined ? {} : { types: [...types] }),
    ...(description === undefined ? {} : { description }),
    createdAt: timeOf(createdAtMs),
    ...answerOfStanding(standing),
    ...(cursor === undefined ? {} : { cursor }),
    ...timeAs("deliveredAt", webhook.deliveredAtMs),
    ...timeAs("previousSecretUntil", webhook.previousSecretUntilMs),
  };
}

function answerOfStanding(
  standing: Webhook["standing"],
): Pick<WebhookAnswer, "status" | "disabledBecause" | "disabledAt" | "failingSince" | "nextTryAt"> {
  switch (standing.kind) {
    case "well":
      return { status: "enabled" };
    case "failing": {
      const { sinceMs, nextTryAtMs } = standing;
      return { status: "failing", failingSince: timeOf(sinceMs), nextTryAt: timeOf(nextTryAtMs) };
    }
    case "disabled":
      return { status: "disabled", disabledBecause: standing.cause, disabledAt: timeOf(standing.atMs) };
  }
}

function answerOfAttempt({ atMs, isDelivered, nextTryAtMs, ...rest }: WebhookAttempt): WebhookAttemptAnswer {
  return { ...rest, at: timeOf(atMs), delivered: isDelivered, ...timeAs("nextTryAt", nextTryAtMs) };
}

function timeAs<Name extends string>(name: Name, ms: number | undefined): { [K in Name]?: string } {
  return (ms === undefined ? {} : { [name]: timeOf(ms) }) as { [K in Name]?: string };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
