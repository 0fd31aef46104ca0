import type { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply } from "fastify";
import Type from "typebox";
import type { App } from "../../apps/index.ts";
import {
  type Delivery,
  NotificationIds,
  type NotificationRecord,
  StoreFailedError,
} from "../../delivery/index.ts";
import type { Outcomes } from "../../outcomes/index.ts";
import {
  finalResultsSchema,
  linesTakenSchema,
  queuedResultsSchema,
  validatedSchema,
} from "../contract/answers.ts";
import {
  type SubmissionQuery,
  submissionHeadersSchema,
  submissionQuerySchema,
  submissionSchema,
} from "../contract/notification.ts";
import { type TakenBody, takeKeyedBody } from "../idempotency/keyed-body.ts";
import { KeyedLines } from "../idempotency/keyed-lines.ts";
import { KeysUnderWay, readRequestKey, replayedHeader } from "../idempotency/request-key.ts";
import { toProblem } from "../problems/answer-problems.ts";
import { ApiProblem } from "../problems/api-problem.ts";
import { problemResponses } from "../problems/problem-responses.ts";
import type { BodyReader } from "../submission/body-reader.ts";
import { GoneTokens } from "../submission/gone-tokens.ts";
import { LineAnswers, LineSummary } from "../submission/line-answers.ts";
import { LineIntake, type LineIntakeOptions } from "../submission/line-intake.ts";
import { Results } from "../submission/results.ts";
import { draftsIn, SubmissionReader, type SubmittedEntry } from "../submission/submission-reader.ts";
import { appParameter, ofNotifications, type RecordRoutesOptions } from "./notification-records.ts";

export interface NotificationRoutesOptions extends RecordRoutesOptions, Pick<Outcomes, "feedback"> {
  readonly bodies: BodyReader;
}

/** Taking notifications. The prefix is `/v1/apps/:app`. */
export function notificationRoutes(server: FastifyInstance, options: NotificationRoutesOptions): void {
  const { delivery, bodies, appOf } = options;
  const reader = new SubmissionReader();
  const goneTokens = new GoneTokens(options.feedback);
  const keysUnderWay = new KeysUnderWay();

  server.post<{ Params: { app: string }; Querystring: SubmissionQuery; Body: Readable | undefined }>(
    "/notifications",
    {
      schema: {
        ...ofNotifications,
        summary: "Send one notification, or many",
        description:
          "A 202 means that the notifications are on disk. Of a list the valid ones are taken: the results say which were not. The body may be compressed with gzip. " +
          "With `Content-Type: application/x-ndjson` each line is a notification, and there may be any number of them. " +
          "With `Idempotency-Key` a request that is sent again, because nobody knows what became of it, is taken once; " +
          "a body of lines that broke off goes on where it did.",
        params: Type.Object(appParameter),
        querystring: submissionQuerySchema,
        headers: submissionHeadersSchema,
        body: submissionSchema,
        response: {
          200: Type.Union([finalResultsSchema, validatedSchema], {
            description: "With `wait`: each in its final form. With `validate`: whether each would be taken.",
          }),
          202: Type.Union([queuedResultsSchema, linesTakenSchema]),
          ...problemResponses(
            "malformed-request",
            "unauthorized",
            "no-such-app",
            "key-used",
            "key-under-way",
            "body-too-large",
            "unsupported-media-type",
            "invalid",
            "queue-full",
            "store-failed",
          ),
        },
      },
    },
    async (request, reply) => {
      const app = appOf(request.params.app);
      const { wait, validate } = request.query;
      // Nothing is stored with `validate`, and so nothing is remembered.
      const key = validate ? undefined : readRequestKey(request.headers["idempotency-key"]);
      if (isNdjson(request.headers["content-type"]))
        return takeLines(request.query, request.body, reply, app, key);
      if (request.query.results !== undefined) throw onlyForLines();
      const announcedBytes = Number(request.headers["content-length"] ?? 0);
      const { ids, results, isReplay } = await bodies.read(request.body, announcedBytes, (body) =>
        key === undefined
          ? takeBody(body, app, validate)
          : keysUnderWay.alone(app.config.name, key, () =>
              takeKeyedBody(body, key, app, delivery, (nowMs) => readBody(body, app, nowMs)),
            ),
      );
      if (isReplay) reply.header(replayedHeader, "true");
      if (validate) return { results: results.validated() };
      const records = wait === undefined ? undefined : await waitFor(delivery, app, ids, wait, reply);
      if (records !== undefined) return { results: results.final(ids, records) };
      reply.status(202);
      return { results: results.queued(ids) };
    },
  );

  async function readBody(body: Buffer, app: App, nowMs: number): Promise<readonly SubmittedEntry[]> {
    const read = reader.read(body, app, nowMs);
    return app.config.goneTokens === "deny" ? goneTokens.siftBody(read, app) : read.entries;
  }

  /** What is done with the lines of an app before they are stored. */
  function siftFor(app: App): LineIntakeOptions["sift"] {
    return app.config.goneTokens === "deny" ? (lines) => goneTokens.siftLines(lines, app) : undefined;
  }

  async function takeBody(body: Buffer, app: App, validate: boolean | undefined): Promise<TakenBody> {
    const nowMs = Date.now();
    const entries = await readBody(body, app, nowMs);
    const ids = validate ? [] : (await delivery.take(app.config.name, draftsIn(entries))).list();
    return { ids, results: Results.of(entries, nowMs), isReplay: false };
  }

  async function takeLines(
    { wait, validate, results }: SubmissionQuery,
    body: Readable | undefined,
    reply: FastifyReply,
    app: App,
    key: string | undefined,
  ): Promise<object> {
    if (wait !== undefined) throw notForLines();
    if (key !== undefined) return takeKeyedLines(results, body, reply, app, key);
    const submit: LineIntakeOptions["submit"] = async (drafts) =>
      validate ? new NotificationIds() : delivery.take(app.config.name, drafts);
    const intake = { app, submit, sift: siftFor(app) };
    if (results === "each" && !validate) return answerEach(body, reply, intake);
    const summary = new LineSummary();
    await new LineIntake({ ...intake, stored: (lines) => summary.add(lines) }).take(body);
    const answer = summary.answer();
    reply.status(validate ? 200 : 202);
    return answer;
  }

  function takeKeyedLines(
    results: SubmissionQuery["results"],
    body: Readable | undefined,
    reply: FastifyReply,
    app: App,
    key: string,
  ): Promise<object> {
    if (results !== undefined) throw notWithKey();
    const { name } = app.config;
    return keysUnderWay.alone(name, key, async () => {
      const lines = new KeyedLines(delivery, name, key, await delivery.recall(name, key));
      const intake = new LineIntake({
        ...{ app, watch: lines, sift: siftFor(app) },
        submit: (drafts, read) => lines.submit(drafts, read),
        stored: (stored) => lines.stored(stored),
      });
      await intake.take(body);
      const { answer, isReplay } = await lines.finish();
      if (isReplay) reply.header(replayedHeader, "true");
      reply.status(202);
      return answer;
    });
  }
}

/** The answer begins with the first lines that are on disk; what goes wrong later stands in its last line. */
function answerEach(
  body: Readable | undefined,
  reply: FastifyReply,
  options: Omit<LineIntakeOptions, "stored">,
): FastifyReply {
  const answers = new LineAnswers();
  const intake = new LineIntake({ ...options, stored: (lines) => answers.add(lines, Date.now()) });
  void intake.take(body).then(
    () => answers.end(undefined),
    (error: unknown) => answers.end(toProblem(error)),
  );
  return reply.status(202).type(ndjson).send(answers.stream);
}

const ndjson = "application/x-ndjson";

function isNdjson(contentType: string | undefined): boolean {
  return contentType?.split(";", 1)[0]?.trim().toLowerCase() === ndjson;
}

function notForLines(): ApiProblem {
  const detail =
    "Lines may be any number, so that nobody waits for them. Leave it out and ask for each later.";
  return new ApiProblem("invalid", "Nothing was stored.", [{ parameter: "wait", detail }]);
}

function notWithKey(): ApiProblem {
  const detail =
    "With an Idempotency-Key lines are remembered as counts. Leave this out, give each line an apnsId or a reference of " +
    "your own to find it by, or leave the key out.";
  return new ApiProblem("invalid", "Nothing was stored.", [{ parameter: "results", detail }]);
}

function onlyForLines(): ApiProblem {
  const detail = `This belongs to bodies of lines. Leave it out, or send Content-Type: ${ndjson}.`;
  return new ApiProblem("invalid", "Nothing was stored.", [{ parameter: "results", detail }]);
}

/** The records after the wait; undefined when the store has failed meanwhile, for what was stored stays stored. */
function waitFor(
  delivery: Delivery,
  app: App,
  ids: readonly string[],
  seconds: number,
  { raw }: FastifyReply,
): Promise<readonly NotificationRecord[] | undefined> {
  const hangUp = new AbortController();
  if (raw.destroyed) hangUp.abort();
  else raw.once("close", () => hangUp.abort());
  return delivery
    .waitUntilFinal(app.config.name, ids, seconds * 1_000, hangUp.signal)
    .catch((error: unknown) => {
      if (error instanceof StoreFailedError) return undefined;
      throw error;
    });
}
