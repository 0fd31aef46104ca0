import Type from "typebox";

/** What callers send and get about apps. */

const routeSchema = Type.Object({
  environment: Type.Enum(["production", "sandbox"]),
  inFlight: Type.Integer({ description: "Sent, and the outcome not on disk yet." }),
  unanswered: Type.Integer({ description: "Of those in flight: Apple has not answered yet." }),
  maxUnanswered: Type.Optional(
    Type.Integer({
      description:
        "How many may be unanswered at the moment, beside those that are overdue while others are answered; absent until something is sent.",
    }),
  ),
  breaker: Type.Enum(["open", "paused", "probing"], {
    description:
      "open: well. paused: nothing leaves for a while. probing: one is out to see whether it is well again.",
  }),
  waitingFor: Type.Optional(
    Type.String({ description: "What it waits for: Apple's word, an error of the network, or the pause." }),
  ),
  environmentSuspect: Type.Boolean({
    description: "Nearly all device tokens are bad here: the environment or the topic is likely wrong.",
  }),
});

export const appSchema = Type.Object(
  {
    name: Type.String(),
    topic: Type.String(),
    environment: Type.Enum(["production", "sandbox"], {
      description: "For notifications that name none.",
    }),
    rateLimit: Type.Optional(Type.Integer({ description: "Notifications a second at most." })),
    paused: Type.Optional(
      Type.Object(
        { since: Type.String(), reason: Type.Optional(Type.String()) },
        { description: "Since when and why nothing is sent; absent while the app may send." },
      ),
    ),
    queued: Type.Integer({ description: "Notifications that are not final yet." }),
    queuedBytes: Type.Integer({ description: "What they take on disk, about." }),
    inFlight: Type.Integer(),
    routes: Type.Array(routeSchema, { description: "Its ways to Apple." }),
  },
  { description: "How an app is doing." },
);

export const appsSchema = Type.Object(
  { items: Type.Array(appSchema) },
  { description: "All apps, in the order of the configuration." },
);

export const pauseSchema = Type.Object(
  {
    reason: Type.Optional(
      Type.String({ minLength: 1, maxLength: 500, description: "It is shown wherever the pause is." }),
    ),
  },
  { additionalProperties: false },
);

export type AppAnswer = Type.Static<typeof appSchema>;
