/** `npm run bench -- backlog|bridge [idle]|client|delivery|events|gateway|simulator|submission|webhooks`: measures; prints Markdown, its method and machine. */
import { benchBacklog } from "./backlog.ts";
import { benchBridge } from "./bridge.ts";
import { benchClient } from "./client.ts";
import { benchDelivery, benchEventsOfDelivery } from "./delivery.ts";
import { benchEvents } from "./events.ts";
import { benchGateway } from "./gateway.ts";
import { benchIsolation } from "./isolation.ts";
import { benchSimulator } from "./simulator.ts";
import { benchSubmission } from "./submission.ts";
import { benchWebhooks } from "./webhooks.ts";

const words = process.argv.slice(2);
const mode = words.includes("--quick") ? "quick" : "full";
const [what, form] = words.filter((word) => word !== "--quick");
if (what === "backlog") await benchBacklog(mode);
else if (what === "bridge") await benchBridge(mode, form);
else if (what === "client") await benchClient(mode);
else if (what === "delivery" && form === "events") await benchEventsOfDelivery(mode);
else if (what === "delivery") await benchDelivery(mode);
else if (what === "events") await benchEvents(mode);
else if (what === "gateway" && form === "isolation") await benchIsolation(mode);
else if (what === "gateway") await benchGateway(mode, form);
else if (what === "simulator") await benchSimulator(mode);
else if (what === "submission") await benchSubmission(mode);
else if (what === "webhooks") await benchWebhooks(mode);
else {
  console.error(
    "usage: npm run bench -- backlog|bridge [idle]|client|delivery [events]|events|gateway [FORM|isolation]|simulator|submission|webhooks [--quick]",
  );
  process.exitCode = 2;
}
