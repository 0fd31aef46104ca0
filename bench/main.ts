/** `npm run bench -- client|delivery|gateway`: measures, and prints Markdown with its method and machine. */
import { benchClient } from "./client.ts";
import { benchDelivery } from "./delivery.ts";
import { benchGateway } from "./gateway.ts";

const [what, option] = process.argv.slice(2);
const mode = option === "--quick" ? "quick" : "full";
if (what === "client") await benchClient(mode);
else if (what === "delivery") await benchDelivery(mode);
else if (what === "gateway") await benchGateway(mode, option === "--quick" ? undefined : option);
else {
  console.error("usage: npm run bench -- client|delivery|gateway [--quick]");
  process.exitCode = 2;
}
