import Type from "typebox";
import { eventTypes } from "../../outcomes/index.ts";
import { cursorDescription } from "./events.ts";

const url = Type.String({
  minLength: 1,
  maxLength: 2_000,
  description: "Where events are posted to, such as https://hooks.example.com/carillon.",
});
const app = Type.String({
  minLength: 1,
  maxLength: 63,
  description: "Only what is about this app. Without it: about all apps.",
});
const types = Type.Array(Type.Enum([...eventTypes]), {
  minItems: 1,
  maxItems: 100,
  description: "Only events of these types. Without it: all but notification.retrying.",
});
const description = Type.String({ maxLength: 500, description: "For people." });
const after = Type.String({ minLength: 1, maxLength: 20, description: cursorDescription });

export const newWebhookSchema = Type.Object(
  {
    url,
    app: Type.Optional(app),
    types: Type.Optional(types),
    description: Type.Optional(description),
    after: Type.Optional(
      Type.String({ ...after, description: `${cursorDescription} Without it: what happens from now on.` }),
    ),
  },
  { additionalProperties: false },
);

export const webhookUpdateSchema = Type.Object(
  {
    url: Type.Optional(url),
    app: Type.Optional(Type.Union([app, Type.Null()])),
    types: Type.Optional(Type.Union([types, Type.Null()])),
    description: Type.Optional(Type.Union([description, Type.Null()])),
    enabled: Type.Optional(
      Type.Boolean({ description: "false stops deliveries; true goes on where they stopped." }),
    ),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    description: "What is absent stays as it is; null takes app, types or description away.",
  },
);

export const rotationSchema = Type.Object(
  {
    overlapSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 604_800,
        description: "So long the present secret signs beside the new one; 86400 by default.",
      }),
    ),
  },
  { additionalProperties: false },
);

export const replaySchema = Type.Object(
  {
    after: Type.Optional(
      Type.String({ ...after, description: `${cursorDescription} Without it: all that is kept.` }),
    ),
  },
  { additionalProperties: false },
);

const webhookFields = {
  id: Type.String(),
  url: Type.String(),
  app: Type.Optional(Type.String()),
  types: Type.Optional(Type.Array(Type.Enum([...eventTypes]))),
  description: Type.Optional(Type.String()),
  createdAt: Type.String(),
  status: Type.Enum(["enabled", "failing", "disabled"]),
  disabledBecause: Type.Optional(
    Type.Enum(["gone", "failing", "asked", "sealed"], {
      description:
        "gone: it answered 410. failing: it took nothing for three days. asked: by an update. sealed: the key that sealed its secret is not here.",
    }),
  ),
  disabledAt: Type.Optional(Type.String()),
  failingSince: Type.Optional(Type.String()),
  nextTryAt: Type.Optional(Type.String()),
  cursor: Type.Optional(Type.String({ description: "Everything up to here was delivered." })),
  deliveredAt: Type.Optional(Type.String({ description: "When it took something the last time." })),
  previousSecretUntil: Type.Optional(
    Type.String({ description: "The secret before the present one signs until then." }),
  ),
};

export const webhookSchema = Type.Object(webhookFields, { description: "An endpoint, and how it stands." });

export const webhookWithSecretSchema = Type.Object(
  {
    ...webhookFields,
    secret: Type.String({ description: "What the receiver verifies with. It is shown this once." }),
  },
  { description: "The endpoint, with its new secret." },
);

export const webhookListSchema = Type.Object({ items: Type.Array(webhookSchema) });

export const webhookAttemptSchema = Type.Object(
  {
    kind: Type.Enum(["delivery", "ping", "skipped"], {
      description: "skipped: events were forgotten before they could be delivered.",
    }),
    at: Type.String(),
    delivered: Type.Boolean(),
    status: Type.Optional(Type.Integer({ description: "The HTTP status, if one came." })),
    error: Type.Optional(Type.String({ description: "What went wrong, in words." })),
    latencyMs: Type.Optional(Type.Integer()),
    webhookId: Type.Optional(Type.String({ description: "The header webhook-id: the same on each repeat." })),
    events: Type.Optional(Type.Integer()),
    bytes: Type.Optional(Type.Integer()),
    nextTryAt: Type.Optional(Type.String()),
  },
  { description: "One call, and how it went." },
);

export const webhookAttemptsSchema = Type.Object(
  { items: Type.Array(webhookAttemptSchema) },
  { description: "The newest first." },
);

export const attemptsQuerySchema = Type.Object(
  {
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100, description: "So many lines. 20 by default." }),
    ),
  },
  { additionalProperties: false },
);

export type WebhookAnswer = Type.Static<typeof webhookSchema>;
export type WebhookAttemptAnswer = Type.Static<typeof webhookAttemptSchema>;
