import { ApnsError, parseDeviceToken } from "@carillon/apns";
import type { FeedbackList } from "../binary/index.ts";
import type { Channel, Channels } from "../channels/index.ts";
import type { Connections } from "../connections/index.ts";
import type { AcceptedPush, Device, Devices } from "../devices/index.ts";
import type { History } from "../history/index.ts";
import { findPageFile } from "../page/index.ts";
import { type ControlAnswer, refuse } from "./control-answer.ts";
import { readDeviceBody, readTraitsBody } from "./device-body.ts";
import { readHistoryQuery } from "./history-query.ts";

/** What is controlled. */
export interface ControlTarget {
  readonly history: History;
  readonly devices: Devices;
  readonly channels: Channels;
  readonly feedback: FeedbackList;
  readonly connections: Connections;
  readonly state: { announceShutdown(): void; resume(): void };
  readonly scenario: {
    /** Undefined ends the one under way. @throws ApnsError `bad-option` with every problem of the document */
    set(document: unknown): void;
    /** How often each rule applied; undefined where no scenario is under way. */
    counts(): Readonly<Record<string, number>> | undefined;
  };
}

export interface ControlRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
  /** Comes when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

type Answer = ControlAnswer | Promise<ControlAnswer>;
type Route = (target: ControlTarget, request: ControlRequest, name: string) => Answer;

/** Methods by path; `{deviceToken}` stands for one segment. */
const routes: Readonly<Record<string, Readonly<Record<string, Route>>>> = {
  "/": { GET: showPage },
  "/history": { GET: listHistory },
  "/devices": { GET: listDevices },
  "/devices/{deviceToken}": {
    GET: showDevice,
    PUT: unregisterDevice,
    PATCH: describeDevice,
    DELETE: registerDevice,
  },
  "/channels": { GET: listChannels },
  "/feedback": { GET: listFeedback },
  "/connections": { GET: listConnections },
  "/scenario": { GET: showScenario, PUT: setScenario, DELETE: endScenario },
  "/shutdown": { PUT: announceShutdown, DELETE: resume },
  "/reset": { POST: reset },
};

/** Answers one request of the control API. */
export function answerControl(target: ControlTarget, request: ControlRequest): Answer {
  const device = /^\/devices\/([^/]+)$/.exec(request.path)?.[1];
  const isFile = device === undefined && findPageFile(request.path) !== undefined;
  const path = device !== undefined ? "/devices/{deviceToken}" : isFile ? "/" : request.path;
  const methods = routes[path];
  if (methods === undefined) {
    return refuse(404, `There is nothing here. What there is: ${describeRoutes()}.`);
  }
  const route = Object.hasOwn(methods, request.method) ? methods[request.method] : undefined;
  if (route !== undefined) return route(target, request, device ?? "");
  const allow = Object.keys(methods).join(", ");
  return { ...refuse(405, `Use ${allow} here.`), allow };
}

function describeRoutes(): string {
  return Object.entries(routes)
    .map(([path, methods]) => `${Object.keys(methods).join(" and ")} ${path}`)
    .join(", ");
}

/** The page at `/`, and the files that it loads. */
function showPage(_target: ControlTarget, { path }: ControlRequest): ControlAnswer {
  return { status: 200, file: findPageFile(path)! };
}

async function listHistory(
  { history }: ControlTarget,
  { query, signal }: ControlRequest,
): Promise<ControlAnswer> {
  const asked = readHistoryQuery(query);
  if (asked.kind === "malformed") return refuse(400, `Query: ${asked.detail}.`);
  const { filter, most, count, waitMs } = asked;
  if (count > 0) {
    const options = { ...filter, count, timeoutMs: waitMs, signal };
    const error = await history.waitFor(options).then(
      () => undefined,
      (reason: Error) => reason,
    );
    if (error !== undefined) return refuse(409, error.message);
  }
  const pushes = history.find(filter, most);
  return { status: 200, value: { total: history.total, matching: history.count(filter), pushes } };
}

function listDevices({ devices }: ControlTarget): ControlAnswer {
  return { status: 200, value: { unregistered: devices.unregistered, devices: devices.all.map(summarize) } };
}

function showDevice(
  { devices }: ControlTarget,
  _request: ControlRequest,
  deviceToken: string,
): ControlAnswer {
  if (parseDeviceToken(deviceToken) === undefined) return refuseDeviceToken();
  const device = devices.find(deviceToken);
  if (device === undefined) {
    return refuse(
      404,
      "Nothing is special about this device: it is registered, and keeps no pushes. PATCH it first.",
    );
  }
  const { received, stored } = device.mailbox;
  const show = ({ payload, ...push }: AcceptedPush) => ({ ...push, payload: payload.toString("utf8") });
  return {
    status: 200,
    value: { ...summarize(device), received: received.map(show), stored: stored.map(show) },
  };
}

function describeDevice(
  { devices }: ControlTarget,
  { body }: ControlRequest,
  deviceToken: string,
): ControlAnswer {
  if (parseDeviceToken(deviceToken) === undefined) return refuseDeviceToken();
  const asked = readTraitsBody(body);
  if (asked.kind === "malformed") return refuse(400, `Body: ${asked.detail}.`);
  return { status: 200, value: summarize(devices.describe(deviceToken, asked.traits)) };
}

/** A device without what came to it. */
function summarize({ deviceToken, topic, environment, reach, answers, pace, gone }: Device): object {
  return { deviceToken, topic, environment, reach, answers, pace, ...gone };
}

function unregisterDevice(
  { devices }: ControlTarget,
  { body }: ControlRequest,
  deviceToken: string,
): ControlAnswer {
  if (parseDeviceToken(deviceToken) === undefined) return refuseDeviceToken();
  const asked = readDeviceBody(body);
  if (asked.kind === "malformed") return refuse(400, `Body: ${asked.detail}.`);
  devices.unregister(deviceToken, asked.sinceMs, asked.reason);
  const device = devices.find(deviceToken);
  return { status: 200, value: device && summarize(device) };
}

function registerDevice(
  { devices }: ControlTarget,
  _request: ControlRequest,
  deviceToken: string,
): ControlAnswer {
  if (parseDeviceToken(deviceToken) === undefined) return refuseDeviceToken();
  devices.register(deviceToken);
  return { status: 204 };
}

function listChannels({ channels }: ControlTarget): ControlAnswer {
  const show = ({ stored, ...channel }: Channel) => ({
    ...channel,
    stored: stored && { ...stored, payload: stored.payload.toString("utf8") },
  });
  return { status: 200, value: { channels: channels.all.map(show) } };
}

function listFeedback({ feedback }: ControlTarget): ControlAnswer {
  return { status: 200, value: { feedback: feedback.find() } };
}

function listConnections({ connections }: ControlTarget): ControlAnswer {
  return { status: 200, value: { connections: connections.all } };
}

function refuseDeviceToken(): ControlAnswer {
  return refuse(400, "A device token is 8 to 200 hexadecimal digits, an even number.");
}

function showScenario({ scenario }: ControlTarget): ControlAnswer {
  const applied = scenario.counts();
  if (applied === undefined) return refuse(404, "No scenario is under way: PUT one.");
  return { status: 200, value: { applied } };
}

function setScenario(target: ControlTarget, { body }: ControlRequest): ControlAnswer {
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch {
    return refuse(400, 'Body: it must be JSON such as {"seed": 1, "rules": [...]}.');
  }
  try {
    target.scenario.set(document);
  } catch (error) {
    if (!(error instanceof ApnsError)) throw error;
    return { status: 400, value: { error: "Body: see problems.", problems: error.problems } };
  }
  return showScenario(target);
}

function endScenario({ scenario }: ControlTarget): ControlAnswer {
  scenario.set(undefined);
  return { status: 204 };
}

function announceShutdown({ state }: ControlTarget): ControlAnswer {
  state.announceShutdown();
  return { status: 204 };
}

function resume({ state }: ControlTarget): ControlAnswer {
  state.resume();
  return { status: 204 };
}

function reset({
  history,
  devices,
  channels,
  feedback,
  connections,
  state,
  scenario,
}: ControlTarget): ControlAnswer {
  state.resume();
  history.clear();
  devices.clear();
  channels.clear();
  feedback.clear();
  connections.clear();
  scenario.set(undefined);
  return { status: 204 };
}
