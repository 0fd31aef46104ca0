import Type from "typebox";
import { notificationRecordSchema, statusSchema } from "./answers.ts";

export const listQuerySchema = Type.Object(
  {
    status: Type.Optional(statusSchema),
    token: Type.Optional(
      Type.String({ description: "Only those to this device token, for as long as payloads are kept." }),
    ),
    reference: Type.Optional(
      Type.String({
        minLength: 1,
        description: "Only those with this reference of yours, for as long as payloads are kept.",
      }),
    ),
    since: Type.Optional(
      Type.String({ description: "Stored at this time or later, such as 2026-12-01T00:00:00Z." }),
    ),
    until: Type.Optional(Type.String({ description: "Stored before this time." })),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000, description: "So many at most. By default 100." }),
    ),
    after: Type.Optional(
      Type.String({ description: "The cursor of the page before this one, with the same other parameters." }),
    ),
  },
  { additionalProperties: false },
);

export const notificationPageSchema = Type.Object(
  {
    items: Type.Array(notificationRecordSchema, { description: "The newest first." }),
    cursor: Type.Optional(
      Type.String({ description: "There may be more: ask for it with after=. Absent at the end." }),
    ),
  },
  { description: "One page. It may be short, or empty, although there are more." },
);

export type ListQuery = Type.Static<typeof listQuerySchema>;
