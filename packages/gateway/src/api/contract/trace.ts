import Type, { type TProperties } from "typebox";
import { eventTypes } from "../../outcomes/index.ts";
import { attemptFields, explanationSchema, statusSchema } from "./answers.ts";

const at = Type.Optional(
  Type.String({ description: "When. Absent where that is not known; the step stands where it belongs." }),
);
const text = Type.String({
  description: "The step in plain words, without its time and without device tokens.",
});
const cursor = Type.String({ description: "Of the event in the event log." });
const type = Type.Enum([...eventTypes]);
const explanation = Type.Optional(explanationSchema);
const reason = Type.Optional(Type.String());

function step<Name extends string, Fields extends TProperties>(
  kind: Name,
  description: string,
  fields: Fields,
) {
  return Type.Object({ kind: Type.Enum([kind]), at, text, ...fields }, { description });
}

const stepSchema = Type.Union([
  step("stored", "It was taken, and is on disk since.", {}),
  step("scheduled", "Its sender wants it sent later.", { until: Type.String() }),
  step("waited", "It waited for long, and does no more.", { until: Type.String() }),
  step("waiting", "What it waits for now.", {
    waitsFor: Type.Enum(["pause", "connection", "rate", "turn"], {
      description:
        "pause: the app is paused. connection: the way to Apple is at a stop. rate: the app's rateLimit. turn: others are before it.",
    }),
    reason,
    explanation,
  }),
  step("route", "What the event log says of its way to Apple while it waited.", {
    cursor,
    type,
    reason,
    explanation,
  }),
  step("attempt", "It was handed to Apple, and what came back.", { ...attemptFields, explanation }),
  step("retry", "When it is tried again.", {}),
  step("ended", "How it ended.", { status: statusSchema, reason, explanation }),
  step("event", "The event that told of it.", { cursor, type }),
  step("verdict", "What was said of its device token.", {
    verdict: Type.Enum(["gone", "suspect", "restored"], { description: "restored: it was taken back." }),
    environment: Type.Enum(["production", "sandbox"]),
    reason,
    since: Type.Optional(Type.String({ description: "Since when it is gone, as Apple says." })),
    cause: Type.Optional(
      Type.String({ description: "Why it was taken back: registered, accepted, request or mass." }),
    ),
  }),
  step("webhook", "Whether a webhook that hears of such events was posted this one.", {
    webhook: Type.String({ description: "Its id." }),
    cursor,
    type,
    delivery: Type.Enum(["taken", "made-later", "due", "failing", "disabled"], {
      description:
        "taken: posted and taken. made-later: the webhook was made after the event, and was posted it only if it was told to begin " +
        "before it. due: it comes next. failing: it was not taken yet. disabled: it is not posted any more.",
    }),
    nextTryAt: Type.Optional(Type.String()),
    error: Type.Optional(Type.String({ description: "What went wrong the last time, in words." })),
  }),
]);

const checkSchema = Type.Object({
  about: Type.Enum([
    "device",
    "settings",
    "app",
    "expiration",
    "priority",
    "collapse-id",
    "push-type",
    "payload",
  ]),
  text: Type.String(),
});

export const traceSchema = Type.Object(
  {
    id: Type.String(),
    apnsId: Type.String({
      description: "The apns-id that Apple gets: yours if you brought one, or else id.",
    }),
    app: Type.String(),
    environment: Type.Enum(["production", "sandbox"]),
    lane: Type.Enum(["urgent", "normal", "bulk"]),
    status: statusSchema,
    reference: Type.Optional(Type.String()),
    deviceToken: Type.Optional(Type.String({ description: "For as long as payloads are kept." })),
    summary: Type.String({ description: "How it stands and what follows from that, in a few sentences." }),
    steps: Type.Array(stepSchema, { description: "In the order of time." }),
    checks: Type.Array(checkSchema, {
      description:
        "What Carillon cannot see and somebody may look at, by this notification's own headers and payload. Apple's 200 does not mean " +
        "that it rang. Empty where Apple never took it.",
    }),
    notes: Type.Array(Type.String(), { description: "What is missing here, and why." }),
  },
  { description: "Its way, as far as it is known." },
);
