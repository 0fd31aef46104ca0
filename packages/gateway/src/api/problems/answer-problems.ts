import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { QueueFullError, StoreFailedError } from "../../delivery/index.ts";
import { ApiProblem, type ProblemKind, problemOf } from "./api-problem.ts";

const mediaType = "application/problem+json; charset=utf-8";

/** Whatever goes wrong below is answered as a problem, and an unforeseen error tells its story to the log only. */
export function answerProblems(server: FastifyInstance, logger: Logger): void {
  server.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = toProblem(error);
    if (problem.status === 500)
      logger.error(
        { err: error, method: request.method, route: request.routeOptions.url },
        "a request failed",
      );
    sendProblem(reply, problem);
  });
}

export function sendProblem(reply: FastifyReply, { status, headers, body }: ApiProblem): void {
  // Written out here: a schema of the route could leave something out.
  void reply.status(status).headers(headers).type(mediaType).serializer(JSON.stringify).send(body);
}

/** For what never became a request: headers that are too large or broken, or that took too long. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  // Nobody is there any more, or an answer is under way already.
  if (error.code === "ECONNRESET" || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const [kind, detail] = explainBrokenRequest(error.code);
  const body = JSON.stringify(problemOf(kind, detail, []));
  const { status } = problemOf(kind, detail, []);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: ${mediaType}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function explainBrokenRequest(code: string | undefined): [ProblemKind, string] {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT")
    return [
      "request-timeout",
      "The request did not arrive whole in time. Send it again, in smaller parts if need be.",
    ];
  if (code === "HPE_HEADER_OVERFLOW")
    return ["headers-too-large", "Headers may be 16 KiB in all. Send fewer or shorter ones."];
  return [
    "malformed-request",
    "These bytes are no HTTP/1.1 request. This port speaks plain HTTP; TLS belongs before it.",
  ];
}

/** Errors of our own rooms and of the web framework, in the words of the API. */
export function toProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (error instanceof QueueFullError) {
    const { message, retryAfterSeconds } = error as QueueFullError;
    const detail = `${message} Nothing was stored; send it again in ${retryAfterSeconds} s.`;
    return new ApiProblem("queue-full", detail, [], { "retry-after": String(retryAfterSeconds) });
  }
  if (error instanceof StoreFailedError) {
    const detail = "Nothing of this was acknowledged. Start the gateway anew; its log says what failed.";
    return new ApiProblem("store-failed", detail, [], { "retry-after": "30" });
  }
  switch ((error as Partial<FastifyError> | undefined)?.code) {
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return unsupportedMediaType("The body must be JSON.");
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
    case "ECONNRESET":
      return new ApiProblem("malformed-request", "The body did not arrive whole. Send the request again.");
    case "Z_DATA_ERROR":
    case "Z_BUF_ERROR":
      return new ApiProblem(
        "malformed-request",
        "The body is not what gzip makes, or not all of it. Nothing was stored.",
      );
    case "FST_ERR_BAD_URL":
      return badAddress();
    default:
      return new ApiProblem("internal-error", "It is not the request's fault. The gateway's log says more.");
  }
}

/** Told by the router itself, before there is a route. */
export function badAddress(): ApiProblem {
  const detail =
    "The address cannot be decoded: behind each % two hex digits are needed, together UTF-8. Write % itself as %25.";
  return new ApiProblem("malformed-request", detail);
}

export function unsupportedMediaType(what: string): ApiProblem {
  return new ApiProblem(
    "unsupported-media-type",
    `${what} Send it with the header Content-Type: application/json, or application/x-ndjson for a notification a line.`,
  );
}

/** Answers what no route takes: 405 where another method would be taken, else 404. */
export function answerNoRoute(
  server: FastifyInstance,
  allowedMethods: (path: string) => readonly string[],
): void {
  server.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    const path = request.url.split("?", 1)[0] ?? "";
    const allowed = allowedMethods(path);
    if (allowed.length > 0) {
      const names = allowed.join(", ");
      const detail = `${request.method} is not taken here; use ${names}.`;
      sendProblem(reply, new ApiProblem("method-not-allowed", detail, [], { allow: names }));
    } else {
      const detail = "Look the address up in /docs; notifications go to POST /v1/apps/{app}/notifications.";
      sendProblem(reply, new ApiProblem("no-such-route", detail));
    }
  });
}
