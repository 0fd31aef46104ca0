import Type from "typebox";
import { eventTypes } from "../../outcomes/index.ts";

export const cursorDescription =
  "Go on behind this cursor: the one of the last page, or of the last event that you have dealt with.";

export const eventQuerySchema = Type.Object(
  {
    after: Type.Optional(
      Type.String({
        maxLength: 20,
        description: `${cursorDescription} Leave it out to begin with the oldest event that is kept; "latest" begins with the next one.`,
      }),
    ),
    app: Type.Optional(Type.String({ description: "Only what is about this app." })),
    types: Type.Optional(
      Type.String({
        description: `Only these types, with commas between them: ${eventTypes.join(", ")}. Without it you get all but notification.retrying.`,
      }),
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000, description: "So many events on a page. 100 by default." }),
    ),
  },
  { additionalProperties: false },
);

export type EventsQuery = Type.Static<typeof eventQuerySchema>;

const eventSchema = Type.Object({
  cursor: Type.String({ description: "Its place in the log." }),
  at: Type.String({ description: "When it was written down." }),
  app: Type.String(),
  type: Type.Enum([...eventTypes]),
  data: Type.Object(
    {},
    {
      additionalProperties: true,
      description:
        'What happened. Accepted, cancelled and retrying notifications are told as runs, {"batch", "ids", "count", "environment"}: ' +
        'each of ids is the end of an id, or the first and the last of several in a row ("0000-01f3"), and batch is what stands before it.',
    },
  ),
});

export const eventPageSchema = Type.Object(
  {
    items: Type.Array(eventSchema),
    cursor: Type.String({ description: "Where to go on, also when items is empty." }),
  },
  { description: "In the order in which they were written down. An empty page means that nothing is new." },
);
