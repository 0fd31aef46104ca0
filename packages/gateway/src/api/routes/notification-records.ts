import type { FastifyInstance } from "fastify";
import Type from "typebox";
import type { App } from "../../apps/index.ts";
import type { Delivery, NotificationRecord, TooLate } from "../../delivery/index.ts";
import { notCancelledSchema, notificationRecordSchema } from "../contract/answers.ts";
import { ApiProblem } from "../problems/api-problem.ts";
import { problemResponses } from "../problems/problem-responses.ts";
import { answerOf } from "../submission/results.ts";

export interface RecordRoutesOptions {
  readonly delivery: Delivery;
  /** The app that a path names. @throws {ApiProblem} there is none */
  readonly appOf: (name: string) => App;
}

export const ofNotifications = { tags: ["notifications"], security: [{ key: [] }] };
export const appParameter = { app: Type.String({ description: "The app's name in the configuration." }) };

const oneNotification = Type.Object({
  ...appParameter,
  id: Type.String({ description: "The id from the answer, or the apnsId that you gave yourself." }),
});

interface OneNotification {
  readonly Params: { readonly app: string; readonly id: string };
}

/** What became of notifications, and taking them back. The prefix is `/v1/apps/:app`. */
export function notificationRecordRoutes(
  server: FastifyInstance,
  { delivery, appOf }: RecordRoutesOptions,
): void {
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

function noSuchNotification(): ApiProblem {
  return new ApiProblem(
    "no-such-notification",
    "No notification of this app has this id. Use an id from the answer to your POST, or your own apnsId; " +
      "what is known of a notification is kept for 7 days after its end.",
  );
}

function tooLate(cause: TooLate, record: NotificationRecord): ApiProblem {
  const why: Readonly<Record<TooLate, string>> = {
    final: `It is ${record.status}, and that stays so.`,
    "in-flight": "It is on its way to Apple. Ask for it in a moment to see what became of it.",
    "in-doubt":
      "Apple may have it, for an attempt had no answer; it is tried again under the same apns-id. Ask for it later.",
  };
  return new ApiProblem("not-cancelled", why[cause], [], {}, { notification: answerOf(record) });
}
