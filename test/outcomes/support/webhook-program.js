// The event log and the webhooks in a process of their own, for the kill test. JavaScript, so that it starts at once. It makes one
// endpoint where there is none, appends events as long as it lives, and tells its parent how far the log is on disk.
import { systemClock } from "@carillon/apns";
import { Sealer } from "../../../packages/gateway/dist/apps/index.js";
import { Webhooks } from "../../../packages/gateway/dist/outcomes/index.js";
import { EventLog } from "../../../packages/gateway/dist/outcomes/stored-event-log.js";
import { defaultWebhookLimits } from "../../../packages/gateway/dist/outcomes/webhooks/open-webhooks.js";
import { defaultCallLimits } from "../../../packages/gateway/dist/outcomes/webhooks/receiver.js";
import { defaultSchedule } from "../../../packages/gateway/dist/outcomes/webhooks/retry-schedule.js";
import { SqliteStore } from "../../../packages/gateway/dist/store/index.js";

const { dataDir, url, isAppending } = JSON.parse(process.argv[2]);
const logger = { info() {}, warn() {}, error: (fields, message) => console.error(message, fields) };
const store = await SqliteStore.open({ dataDir });
const log = new EventLog({ store, clock: systemClock, logger });
const webhooks = await Webhooks.start({
  store,
  events: log,
  receivers: { allowHttp: true, allowPorts: "any", allowNetworks: ["127.0.0.1/32"] },
  // The same one at every start.
  sealer: new Sealer(Buffer.alloc(32, 1)),
  resolve: async () => ["127.0.0.1"],
  clock: systemClock,
  random: Math.random,
  logger,
  version: "0.0.0",
  callLimits: { ...defaultCallLimits, deadlineMs: 1_000 },
  schedule: { ...defaultSchedule, pausesMs: [5] },
  limits: { ...defaultWebhookLimits, gatherMs: 2, batchBytes: 65_536 },
});
if (webhooks.list().length === 0) process.send({ secret: (await webhooks.create({ url })).secret });
process.send({ latest: Number((await log.ends()).latest) });
for (let round = 0; isAppending; round++) {
  const events = Array.from({ length: 1 + (round % 40) }, (_, n) => ({
    app: "demo",
    type: "notification.rejected",
    data: JSON.stringify({ round, n }),
  }));
  await store.appendEvents(events, Date.now());
  process.send({ latest: Number((await log.ends()).latest) });
}
