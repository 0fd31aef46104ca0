import Type from "typebox";

export const feedbackQuerySchema = Type.Object(
  {
    after: Type.Optional(
      Type.String({
        pattern: "^[0-9]{1,15}$",
        description:
          "Go on behind the cursor of the page that you have dealt with. Leave it out to begin with the oldest verdict.",
      }),
    ),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000,
        description: "So many verdicts on a page. 100 by default.",
      }),
    ),
  },
  { additionalProperties: false },
);

export type FeedbackQuery = Type.Static<typeof feedbackQuerySchema>;

const verdictSchema = Type.Object({
  cursor: Type.String(),
  token: Type.String(),
  verdict: Type.Enum(["gone", "suspect"], {
    description:
      "gone: Apple says that the app left the device; delete the token unless it was registered after since. " +
      "suspect: malformed, or of the other environment or another app; look at the configuration first.",
  }),
  reason: Type.String({ description: "Apple's word." }),
  since: Type.Optional(Type.String({ description: "Since when it is gone, as Apple says." })),
  environment: Type.Enum(["production", "sandbox"]),
  notificationId: Type.String({ description: "The notification that was answered so." }),
  firstAt: Type.String(),
  lastAt: Type.String(),
  answers: Type.Integer({ description: "How many answers said so." }),
});

export const tokenFeedbackSchema = Type.Object(
  { items: Type.Array(verdictSchema) },
  { description: "One for each environment, or none: then nothing is held against it." },
);

export const feedbackPageSchema = Type.Object(
  {
    items: Type.Array(verdictSchema),
    cursor: Type.String({ description: "Where to go on, also when items is empty." }),
  },
  { description: "Device tokens that something is wrong with. One that is good again is no longer listed." },
);

export const restoredSchema = Type.Object(
  { restored: Type.Boolean({ description: "Whether there was anything to take back." }) },
  { description: "Nothing is held against the device token any more." },
);

export const incidentsSchema = Type.Object(
  {
    items: Type.Array(
      Type.Object({
        reason: Type.String(),
        environment: Type.Enum(["production", "sandbox"]),
        count: Type.Integer({ description: "Notifications that ended so." }),
        firstAt: Type.String(),
        lastAt: Type.String(),
        sample: Type.String({ description: "The id of the latest of them." }),
        fault: Type.Optional(Type.String()),
        means: Type.Optional(Type.String()),
        remedy: Type.Optional(Type.String()),
      }),
    ),
  },
  {
    description:
      "Equal failures of the last 24 hours as one, the latest first, counted since this process began; the event log has each.",
  },
);
