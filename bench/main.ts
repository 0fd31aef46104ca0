/** `npm run bench -- client`: measures, and prints Markdown with its method and machine. */
import { benchClient } from "./client.ts";

const [what, option] = process.argv.slice(2);
const mode = option === "--quick" ? "quick" : "full";
if (what === "client") await benchClient(mode);
else {
  console.error("usage: npm run bench -- client [--quick]");
  process.exitCode = 2;
}
