import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { CursorError, type EventType, eventTypes, type Outcomes } from "../../outcomes/index.ts";
import { type EventsQuery, eventPageSchema, eventQuerySchema } from "../contract/events.ts";
import { ApiProblem } from "../problems/api-problem.ts";
import { problemResponses } from "../problems/problem-responses.ts";

export type EventRoutesOptions = Pick<Outcomes, "log" | "feed">;

const usualLimit = 100;
const eventStream = "text/event-stream";

/** The event log, page by page or as a stream. The prefix is `/v1`. */
export function eventRoutes(server: FastifyInstance, { log, feed }: EventRoutesOptions): void {
  server.get<{ Querystring: EventsQuery }>(
    "/events",
    {
      schema: {
        tags: ["outcomes"],
        security: [{ key: [] }],
        summary: "What became of notifications, device tokens and routes",
        description:
          "Keep the cursor of the page you have dealt with, and you miss nothing. With `Accept: text/event-stream` the log goes on live: " +
          "`id` is the cursor, `event` the type, `data` the event; `Last-Event-ID` goes on where a connection broke off. " +
          "A follower that reads too slowly is cut and goes on with its cursor.",
        querystring: eventQuerySchema,
        response: {
          200: eventPageSchema,
          ...problemResponses(
            "unauthorized",
            "cursor-too-old",
            "invalid",
            "too-many-followers",
            "store-failed",
          ),
        },
      },
    },
    async (request, reply) => {
      const { app, limit = usualLimit } = request.query;
      const types = readTypes(request.query.types);
      const after = await startOf(request, log);
      const query = {
        ...(after === undefined ? {} : { after }),
        ...(app === undefined ? {} : { app }),
        ...(types === undefined ? {} : { types }),
      };
      try {
        if (!wantsStream(request)) return await log.read({ ...query, limit });
        return await stream(reply, feed, query);
      } catch (error) {
        throw error instanceof CursorError ? problemOfCursor(error) : error;
      }
    },
  );
}

async function stream(
  reply: FastifyReply,
  feed: Outcomes["feed"],
  query: Parameters<Outcomes["feed"]["follow"]>[0],
) {
  if (feed.isFull)
    throw new ApiProblem(
      "too-many-followers",
      "As many connections follow the events as may. Close one, or read page by page without Accept: text/event-stream.",
      [],
      { "retry-after": "30" },
    );
  const follower = await feed.follow(query);
  // Proxies that gather answers would hold back the news.
  return reply.type(eventStream).header("x-accel-buffering", "no").send(follower);
}

function wantsStream({ headers }: FastifyRequest): boolean {
  return headers.accept?.split(",").some((type) => type.split(";", 1)[0]?.trim() === eventStream) ?? false;
}

/** A browser that connects again sends the header, and its address still has the first cursor. */
async function startOf(
  request: FastifyRequest<{ Querystring: EventsQuery }>,
  log: Outcomes["log"],
): Promise<string | undefined> {
  const last = wantsStream(request) ? request.headers["last-event-id"] : undefined;
  const after = typeof last === "string" && last !== "" ? last : request.query.after;
  return after === "latest" ? (await log.ends()).latest : after;
}

function readTypes(text: string | undefined): readonly EventType[] | undefined {
  if (text === undefined) return undefined;
  const types = text.split(",").map((type) => type.trim());
  const unknown = types.filter((type) => !eventTypes.some((known) => known === type));
  if (unknown.length === 0) return types as EventType[];
  const detail = `There are no events of the type ${unknown[0]?.slice(0, 50)}. Name some of ${eventTypes.join(", ")}.`;
  throw new ApiProblem("invalid", "A parameter of the address is wrong. Nothing was done.", [
    { parameter: "types", detail },
  ]);
}

/** What to do about a cursor from which there is no going on. */
function problemOfCursor({ kind, oldest }: CursorError): ApiProblem {
  if (kind === "too-old")
    return new ApiProblem(
      "cursor-too-old",
      `Events that followed this cursor are kept no longer. Go on with after=${oldest}, and ask for the notifications that you know nothing of.`,
      [{ parameter: "after", detail: `The oldest cursor to go on from is ${oldest}.` }],
    );
  const detail = `No page of this log had this cursor. Take the cursor of a page, or leave it out to begin with the oldest event (the same as ${oldest}).`;
  return new ApiProblem("invalid", "A parameter of the address is wrong. Nothing was done.", [
    { parameter: "after", detail },
  ]);
}
