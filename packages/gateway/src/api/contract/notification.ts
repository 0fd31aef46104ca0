import Type from "typebox";

/** What callers send. These schemas validate, document and type it; nothing says it a second time. */

export const limits = {
  /** Notifications in one body. */
  notifications: 10_000,
  /** Recipients of one notification. */
  tokens: 10_000,
  /** Recipients of all notifications in one body. */
  recipients: 100_000,
  referenceLength: 256,
  /** The longest `ttl` and the farthest `sendAt`: one year. */
  aheadSeconds: 31_536_000,
} as const;

const closed = { additionalProperties: false } as const;
const open = { additionalProperties: true } as const;

const deviceToken = Type.String({
  description: "It is a device token: the bytes that the app got, as hex digits.",
});

const localizationArguments = Type.Array(Type.String(), { maxItems: 100 });

const alertSchema = Type.Object(
  {
    title: Type.Optional(Type.String()),
    subtitle: Type.Optional(Type.String()),
    body: Type.Optional(Type.String()),
    launchImage: Type.Optional(Type.String()),
    titleLocKey: Type.Optional(Type.String()),
    titleLocArgs: Type.Optional(localizationArguments),
    subtitleLocKey: Type.Optional(Type.String()),
    subtitleLocArgs: Type.Optional(localizationArguments),
    locKey: Type.Optional(Type.String()),
    locArgs: Type.Optional(localizationArguments),
  },
  closed,
);

const soundSchema = Type.Object(
  {
    name: Type.String({ description: 'It is a sound file in the app, or "default".' }),
    critical: Type.Optional(Type.Boolean()),
    volume: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  },
  closed,
);

/** The friendly form of a payload: Carillon writes Apple's form from it. */
export const friendlySchema = Type.Object(
  {
    alert: Type.Optional(
      Type.Union([Type.String(), alertSchema], {
        description: 'It is a text, or {"title", "subtitle", "body", …}.',
      }),
    ),
    badge: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 4_294_967_295,
        description: "It is the number on the app's icon; 0 takes it away.",
      }),
    ),
    sound: Type.Optional(
      Type.Union([Type.String(), soundSchema], {
        description: 'It is "default", a sound file in the app, or {"name", "critical", "volume"}.',
      }),
    ),
    category: Type.Optional(Type.String()),
    threadId: Type.Optional(Type.String({ description: "Notifications with the same one are grouped." })),
    contentAvailable: Type.Optional(
      Type.Boolean({ description: "It wakes the app in the background; alone it makes a background push." }),
    ),
    mutableContent: Type.Optional(
      Type.Boolean({ description: "It lets a service extension change the notification." }),
    ),
    interruptionLevel: Type.Optional(Type.Enum(["passive", "active", "time-sensitive", "critical"])),
    relevanceScore: Type.Optional(
      Type.Number({ minimum: 0, maximum: 1, description: "It sorts an app's summary." }),
    ),
    data: Type.Optional(Type.Object({}, { ...open, description: "Its keys stand beside aps, for the app." })),
  },
  closed,
);

export const notificationSchema = Type.Object(
  {
    to: Type.Object(
      {
        token: Type.Optional(deviceToken),
        tokens: Type.Optional(
          Type.Array(deviceToken, {
            minItems: 1,
            maxItems: limits.tokens,
            description: "Many recipients share one notification; each gets a result and an id of its own.",
          }),
        ),
      },
      {
        ...closed,
        minProperties: 1,
        maxProperties: 1,
        description: 'It says who gets it: {"token": "…"} or {"tokens": ["…", "…"]}.',
      },
    ),
    payload: Type.Optional(
      Type.Object(
        {},
        { ...open, description: 'It is Apple\'s own form, {"aps": {…}, …}, and is sent byte for byte.' },
      ),
    ),
    ...friendlySchema.properties,
    topic: Type.Optional(
      Type.String({
        description: "It is by default the app's topic, with the suffix that the push type needs.",
      }),
    ),
    pushType: Type.Optional(
      Type.String({
        description: "It is alert, background, voip, liveactivity, …; by default told from the payload.",
      }),
    ),
    priority: Type.Optional(
      Type.Enum([10, 5, 1], {
        description: "10: now. 5: as the device's power allows. 1: never wakes the device.",
      }),
    ),
    expiresAt: Type.Optional(
      Type.String({
        description: "It is the time after which nobody tries any more, such as 2026-12-01T00:00:00Z.",
      }),
    ),
    ttl: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: limits.aheadSeconds,
        description:
          "It is expiresAt in seconds from now, or from sendAt; with 0 Apple tries once and stores nothing.",
      }),
    ),
    collapseId: Type.Optional(
      Type.String({
        description: "A newer notification with the same one replaces the older on the device.",
      }),
    ),
    apnsId: Type.Optional(
      Type.String({
        description: "It is a UUID of your own, for one recipient; by default Apple gets our id.",
      }),
    ),
    sendAt: Type.Optional(
      Type.String({
        description: "It is the time before which nothing is sent, such as 2026-12-01T09:00:00+01:00.",
      }),
    ),
    lane: Type.Optional(
      Type.Enum(["urgent", "normal", "bulk"], {
        description:
          "A log-in code is urgent, a newsletter is bulk; neither waits behind the other. By default normal.",
      }),
    ),
    delivery: Type.Optional(
      Type.Enum(["at-least-once", "at-most-once"], {
        description:
          "It says what happens when Apple gives no answer: it is sent again under the same id, or its status is unknown. By default at-least-once.",
      }),
    ),
    environment: Type.Optional(
      Type.Enum(["production", "sandbox"], { description: "It is by default the app's environment." }),
    ),
    registeredAt: Type.Optional(
      Type.String({
        description:
          "It is the time when the app last registered the device token with you: a token that Apple calls gone since an earlier time is not gone.",
      }),
    ),
    reference: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: limits.referenceLength,
        description: "It is your own name for it, given back as it came.",
      }),
    ),
  },
  closed,
);

export type WrittenNotification = Type.Static<typeof notificationSchema>;
export type WrittenFriendly = Type.Static<typeof friendlySchema>;

export const notificationListSchema = Type.Object(
  {
    notifications: Type.Array(notificationSchema, {
      minItems: 1,
      maxItems: limits.notifications,
      description: `Send 1 to ${limits.notifications} notifications at a time.`,
    }),
  },
  closed,
);

const exampleToken = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";

export const submissionSchema = Type.Union([notificationSchema, notificationListSchema], {
  examples: [
    { to: { token: exampleToken }, alert: { title: "Hello", body: "The bell rings." }, sound: "default" },
    {
      notifications: [{ to: { tokens: [exampleToken] }, payload: { aps: { alert: "Hello" } }, lane: "bulk" }],
    },
  ],
});

export const submissionQuerySchema = Type.Object(
  {
    wait: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 30,
        description: "So many seconds the answer waits for the final status of all notifications.",
      }),
    ),
    validate: Type.Optional(Type.Boolean({ description: "true checks everything and stores nothing." })),
    results: Type.Optional(
      Type.Enum(["each"], { description: "For NDJSON: each is answered by a line for every line." }),
    ),
  },
  closed,
);

export const submissionHeadersSchema = Type.Object({
  "idempotency-key": Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      pattern: "^[\\x21-\\x7e]+$",
      description:
        "A name of your own for this request, such as a UUID. For 24 hours the same body under it is taken once: later " +
        "ones get the first answer, with the header Idempotency-Replayed, and another body is refused with 409.",
    }),
  ),
});

export type SubmissionQuery = Type.Static<typeof submissionQuerySchema>;
