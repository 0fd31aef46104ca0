import Type from "typebox";

/** What callers get. */

const fieldProblemSchema = Type.Object({
  pointer: Type.Optional(Type.String({ description: "Where in the body, as a JSON pointer (RFC 6901)." })),
  line: Type.Optional(Type.Integer({ description: "Which line of NDJSON, from 1." })),
  parameter: Type.Optional(
    Type.String({ description: "Which parameter of the query or header of the request." }),
  ),
  detail: Type.String({ description: "What is wrong and what to do about it." }),
  reason: Type.Optional(
    Type.String({ description: "Of a device token that is gone: Apple's word, such as Unregistered." }),
  ),
  since: Type.Optional(
    Type.String({ description: "Of a device token that is gone: since when, as Apple says." }),
  ),
});

/** RFC 9457, with every single problem in `errors`. */
export const problemSchema = Type.Object(
  {
    type: Type.String({ description: "Names the kind of problem, for programs." }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    errors: Type.Array(fieldProblemSchema),
  },
  { description: "What went wrong and what to do about it." },
);

export const statusSchema = Type.Enum([
  "queued",
  "scheduled",
  "accepted",
  "rejected",
  "expired",
  "unknown",
  "cancelled",
]);

export const attemptFields = {
  outcome: Type.String({ description: "accepted, rejected, unrecognized or indeterminate." }),
  environment: Type.Optional(
    Type.Enum(["production", "sandbox"], {
      description:
        "Where it went, if not to the environment of the notification: the other one was tried for a device token that the first did not know.",
    }),
  ),
  reason: Type.Optional(Type.String({ description: "Apple's word, or what happened to the connection." })),
  status: Type.Optional(Type.Integer({ description: "Apple's HTTP status." })),
  goneSince: Type.Optional(
    Type.String({ description: "Since when the device token is gone, as Apple says." }),
  ),
  connection: Type.Optional(
    Type.Object(
      {
        number: Type.Integer({
          description:
            "Counts the connections of this app and environment since the gateway started, from 1.",
        }),
        remoteAddress: Type.Optional(Type.String({ description: "Whom it led to." })),
      },
      { description: "Which connection it went over. Not kept for what was accepted." },
    ),
  ),
};

const attemptSchema = Type.Object({ at: Type.String(), ...attemptFields });

export const explanationSchema = Type.Object(
  {
    fault: Type.String({
      description: "Who must act: request, device-token, credential, pace, service or operator.",
    }),
    means: Type.String(),
    remedy: Type.String({ description: "What to do about it." }),
  },
  { description: "The reason in words, where it is a known one." },
);

export const notificationRecordSchema = Type.Object(
  {
    id: Type.String(),
    app: Type.String(),
    environment: Type.Enum(["production", "sandbox"]),
    lane: Type.Enum(["urgent", "normal", "bulk"]),
    status: statusSchema,
    reason: Type.Optional(Type.String({ description: "Why it was rejected, or what it waits for." })),
    explanation: Type.Optional(explanationSchema),
    reference: Type.Optional(Type.String()),
    apnsId: Type.String({
      description: "The apns-id that Apple gets: yours if you brought one, or else id.",
    }),
    storedAt: Type.String(),
    sendAt: Type.Optional(Type.String()),
    attempts: Type.Array(attemptSchema),
  },
  { description: "All that is known of the notification." },
);

export const notCancelledSchema = Type.Object(
  { ...problemSchema.properties, notification: notificationRecordSchema },
  { description: "Why it is too late to cancel it, and how it stands." },
);

const queuedSchema = Type.Object({ id: Type.String(), status: statusSchema });
const refusedSchema = Type.Object({ error: problemSchema });

export const queuedResultsSchema = Type.Object(
  { results: Type.Array(Type.Union([queuedSchema, refusedSchema])) },
  { description: "On disk, fsynced: one result for each recipient, in the order of the request." },
);

export const linesTakenSchema = Type.Object(
  {
    accepted: Type.Integer({ description: "Notifications on disk, one for each recipient." }),
    rejected: Type.Integer({ description: "Notifications that were not stored." }),
    errors: Type.Array(fieldProblemSchema, { description: "What was wrong, the first 100." }),
  },
  { description: "NDJSON: how many were taken, fsynced." },
);

export const finalResultsSchema = Type.Object(
  { results: Type.Array(Type.Union([notificationRecordSchema, refusedSchema])) },
  { description: "With `wait`: each in its final form, or in its present one when the time was over." },
);

export const validatedSchema = Type.Object(
  { results: Type.Array(Type.Union([Type.Object({ status: Type.Enum(["valid"]) }), refusedSchema])) },
  { description: "With `validate=true`: nothing was stored." },
);

export const healthSchema = Type.Object(
  { status: Type.Enum(["ok", "failed"]), detail: Type.Optional(Type.String()) },
  { description: "Whether this process works." },
);

export const readinessSchema = Type.Object({
  status: Type.Enum(["ready", "stopping", "failed"]),
  detail: Type.Optional(Type.String()),
  queued: Type.Integer({ description: "Notifications that are not final yet." }),
  inFlight: Type.Integer({ description: "Sent, and the outcome not on disk yet." }),
  waiting: Type.Array(Type.Object({ app: Type.String(), environment: Type.String(), for: Type.String() }), {
    description: "Ways to Apple on which nothing gets through at the moment, and what they wait for.",
  }),
});

export const welcomeSchema = Type.Object({
  name: Type.String(),
  next: Type.String(),
  documentation: Type.String(),
  openapi: Type.String(),
});

export type FieldProblem = Type.Static<typeof fieldProblemSchema>;
export type Problem = Type.Static<typeof problemSchema>;
export type NotificationAnswer = Type.Static<typeof notificationRecordSchema>;
