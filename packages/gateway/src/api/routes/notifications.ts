import type { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply } from "fastify";
import Type from "typebox";
import type { App } from "../../apps/index.ts";
import type { Delivery, NotificationRecord } from "../../delivery/index.ts";
import {
  finalResultsSchema,
  type NotificationAnswer,
  notificationRecordSchema,
  type Problem,
  queuedResultsSchema,
  validatedSchema,
} from "../contract/answers.ts";
import { type SubmissionQuery, submissionQuerySchema, submissionSchema } from "../contract/notification.ts";
import { ApiProblem, problemOf } from "../problems/api-problem.ts";
import { problemResponses } from "../problems/problem-responses.ts";
import type { BodyReader } from "../submission/body-reader.ts";
import { type Entry, readSubmission } from "../submission/submission.ts";

export interface NotificationRoutesOptions {
  readonly delivery: Delivery;
  readonly bodies: BodyReader;
  /** The app that a path names. @throws {ApiProblem} there is none */
  readonly appOf: (name: string) => App;
}

const appParameter = { app: Type.String({ description: "The app's name in the configuration." }) };
const tags = ["notifications"];
const security = [{ key: [] }];

/** Taking notifications and telling what became of them. The prefix is `/v1/apps/:app`. */
export function notificationRoutes(server: FastifyInstance, options: NotificationRoutesOptions): void {
  const { delivery, bodies, appOf } = options;

  server.post<{ Params: { app: string }; Querystring: SubmissionQuery; Body: Readable | undefined }>(
    "/notifications",
    {
      schema: {
        tags,
        security,
        summary: "Send one notification, or many",
        description:
          "A 202 means that the notifications are on disk. Of a list the valid ones are taken: the results say which were not.",
        params: Type.Object(appParameter),
        querystring: submissionQuerySchema,
        body: submissionSchema,
        response: {
          200: Type.Union([finalResultsSchema, validatedSchema], {
            description: "With `wait`: each in its final form. With `validate`: whether each would be taken.",
          }),
          202: queuedResultsSchema,
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
    async (request, reply) => {
      const app = appOf(request.params.app);
      const { wait, validate } = request.query;
      const announcedBytes = Number(request.headers["content-length"] ?? 0);
      const submitted = await bodies.read(request.body, announcedBytes, async (body) => {
        const entries = readSubmission(body, app, Date.now());
        const drafts = entries.flatMap((entry) => (entry.kind === "valid" ? [entry.draft] : []));
        const ids = validate ? [] : await delivery.submit(app.config.name, drafts);
        return { ids, slots: entries.map(slotOf) };
      });
      if (validate) return { results: fill(submitted.slots, () => ({ status: "valid" })) };
      const next = submitted.ids[Symbol.iterator]();
      const nextId = (): string => next.next().value ?? "";
      if (wait === undefined) {
        reply.status(202);
        return { results: fill(submitted.slots, ({ status }) => ({ id: nextId(), status })) };
      }
      const hangUp = hangUpSignal(reply);
      const records = await delivery.waitUntilFinal(app.config.name, submitted.ids, wait * 1_000, hangUp);
      const byId = new Map(records.map((record) => [record.id, record]));
      return {
        results: fill(submitted.slots, ({ status }) => {
          const id = nextId();
          const record = byId.get(id);
          return record === undefined ? { id, status } : answerOf(record);
        }),
      };
    },
  );

  server.get<{ Params: { app: string; id: string } }>(
    "/notifications/:id",
    {
      schema: {
        tags,
        security,
        summary: "What became of a notification",
        params: Type.Object({
          ...appParameter,
          id: Type.String({ description: "The id from the answer, or the apnsId that you gave yourself." }),
        }),
        response: {
          200: notificationRecordSchema,
          ...problemResponses("unauthorized", "no-such-app", "no-such-notification", "store-failed"),
        },
      },
    },
    async (request) => {
      const app = appOf(request.params.app);
      const record = await delivery.find(app.config.name, request.params.id);
      if (record !== undefined) return answerOf(record);
      throw new ApiProblem(
        "no-such-notification",
        "No notification of this app has this id. Use an id from the answer to your POST, or your own apnsId; " +
          "what is known of a notification is kept for 7 days after its end.",
      );
    },
  );
}

/** Places in the answer: those of one notification, valid or not. */
type Slot =
  | { readonly kind: "valid"; readonly recipients: number; readonly status: "queued" | "scheduled" }
  | { readonly kind: "invalid"; readonly recipients: number; readonly error: Problem };

function slotOf(entry: Entry): Slot {
  if (entry.kind === "invalid") {
    const { recipients, problems } = entry;
    return {
      kind: "invalid",
      recipients,
      error: problemOf("invalid", "This notification was not stored.", problems),
    };
  }
  const { deviceTokens, dueAtMs } = entry.draft;
  const status = dueAtMs !== undefined && dueAtMs > Date.now() ? "scheduled" : "queued";
  return { kind: "valid", recipients: deviceTokens.length, status };
}

/** One result for each recipient, in the order of the request. */
function fill(slots: readonly Slot[], valid: (slot: Extract<Slot, { kind: "valid" }>) => object): object[] {
  return slots.flatMap((slot) =>
    Array.from({ length: slot.recipients }, () =>
      slot.kind === "valid" ? valid(slot) : { error: slot.error },
    ),
  );
}

function answerOf(record: NotificationRecord): NotificationAnswer {
  const { apnsId = record.id, attempts } = record;
  return { ...record, apnsId, attempts: [...attempts] };
}

/** Fires when the caller is gone, so that nobody waits in vain. */
function hangUpSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once("close", () => controller.abort());
  return controller.signal;
}
