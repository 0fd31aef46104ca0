import type { FastifyInstance } from "fastify";
import Type from "typebox";
import type { App } from "../../apps/index.ts";
import { type Delivery, type NotificationRecord, type TooLate, writeCursor } from "../../delivery/index.ts";
import { notCancelledSchema, notificationRecordSchema } from "../contract/answers.ts";
import { type ListQuery, listQuerySchema, notificationPageSchema } from "../contract/listing.ts";
import { ApiProblem } from "../problems/api-problem.ts";
import { problemResponses } from "../problems/problem-responses.ts";
import { answerOf } from "../submission/results.ts";
import { readListRequest } from "./list-request.ts";

export interface RecordRoutesOptions {
  readonly delivery: Delivery;
  /** The app that a path names. @throws {ApiProblem} there is none */
  readonly appOf: (name: string) => App;
}

export const ofNotifications = { tags: ["notifications"], security: [{ key: [] }] };
export const appParameter = { app: Type.String({ description: "The app's name in the configuration." }) };

export const oneNotification = Type.Object({
  ...appParameter,
  id: Type.String({ description: "The id from the answer, or the apnsId that you gave yourself." }),
});

export interface OneNotification {
  readonly Params: { readonly app: string; readonly id: string };
}

/** What became of notifications, and taking them back. The prefix is `/v1/apps/:app`. */
export function notificationRecordRoutes(
  server: FastifyInstance,
  { delivery, appOf }: RecordRoutesOptions,
): void {
  server.get<{ Params: { app: string }; Querystring: ListQuery }>(
    "/notifications",
    {
      schema: {
        ...ofNotifications,
        summary: "Go through the notifications",
        description:
          "By status, token, reference and time, the newest first. There is no index for these: a page looks at 2,000 batches or 8 MiB of " +
          "bodies at most and then ends with a cursor, short or empty as it may be; go on until there is none. `since` and `until` " +
          "spare the way through the rest. Cursors stay good while notifications come and change; what is stored later than the first " +
          "page stands before it and is not seen. Token and reference are known until payloads are dropped, a day after the end; the rest for 7 days.",
        params: Type.Object(appParameter),
        querystring: listQuerySchema,
        response: {
          200: notificationPageSchema,
          ...problemResponses("unauthorized", "no-such-app", "invalid", "store-failed"),
        },
      },
    },
    async ({ params, query }) => {
      const app = appOf(params.app);
      const { records, next } = await delivery.list(app.config.name, readListRequest(query));
      return {
        items: records.map(answerOf),
        ...(next === undefined ? {} : { cursor: writeCursor(next) }),
      };
    },
  );

  server.get<OneNotification>(
    "/notifications/:id",
    {
      schema: {
        ...ofNotifications,
        summary: "What became of a notification",
        params: oneNotification,
        response: {
          200: notificationRecordSchema,
          ...problemResponses("unauthorized", "no-such-app", "no-such-notification", "store-failed"),
        },
      },
    },
    async ({ params }) => {
      const app = appOf(params.app);
      const record = await delivery.find(app.config.name, params.id);
      if (record === undefined) throw noSuchNotification();
      return answerOf(record);
    },
  );

  server.delete<OneNotification>(
    "/notifications/:id",
    {
      schema: {
        ...ofNotifications,
        summary: "Cancel a notification that was not sent yet",
        description:
          "Takes back what is queued, scheduled, or waits to be tried again after an answer. A 200 means that it is cancelled on disk and " +
          "will never be sent. It is 409 while it is on its way, when it is final, and when Apple may have it because an attempt had " +
          "no answer.",
        params: oneNotification,
        response: {
          200: notificationRecordSchema,
          ...problemResponses("unauthorized", "no-such-app", "no-such-notification"),
          409: {
            description: "It is too late. `notification` says how it stands.",
            content: { "application/problem+json": { schema: notCancelledSchema } },
          },
          ...problemResponses("queue-full", "store-failed"),
        },
      },
    },
    async ({ params }) => {
      const app = appOf(params.app);
      const cancellation = await delivery.cancel(app.config.name, params.id);
      if (cancellation === undefined) throw noSuchNotification();
      if (cancellation.kind === "too-late") throw tooLate(cancellation.cause, cancellation.record);
      return answerOf(cancellation.record);
    },
  );
}

/** Nobody knows it, or nobody knows it any more. */
export function noSuchNotification(): ApiProblem {
  return new ApiProblem(
    "no-such-notification",
    "No notification of this app has this id. Use an id from the answer to your POST, or your own apnsId; " +
      "what is known of a notification is kept for 7 days after its end, or retention.outcomeHours.",
  );
}

function tooLate(cause: TooLate, record: NotificationRecord): ApiProblem {
  const why: Readonly<Record<TooLate, string>> = {
    final: `It is ${record.status}, and that stays so.`,
    "in-flight": "It is on its way to Apple. Ask for it in a moment to see what became of it.",
    "in-doubt":
      "Apple may have it: an attempt had no answer, or the gateway was killed meanwhile. It is tried again under the same " +
      "apns-id. Ask for it later.",
  };
  return new ApiProblem("not-cancelled", why[cause], [], {}, { notification: answerOf(record) });
}
