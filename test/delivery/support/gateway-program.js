// A gateway in a process of its own, for the kill test. JavaScript, so that it starts at once. The simulator it sends to
// comes as JSON in argv; it sends its address and its key to its parent.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { startGateway } from "../../../packages/gateway/dist/index.js";

const { dataDir, endpoint, ca, credentials } = JSON.parse(process.argv[2]);
// A gateway goes on with the provider token of the one before; here each signs its own, by which the test tells them apart.
rmSync(join(dataDir, `provider-token-${credentials.teamId}-${credentials.keyId}`), { force: true });
const app = { name: "demo", topic: "com.example.demo", environment: "sandbox", endpoint, ca, credentials };
const listen = { host: "127.0.0.1", port: 0 };
const { url, adminKey } = await startGateway({ config: { listen, dataDir, logLevel: "error", apps: [app] } });
process.send({ url, adminKey });
