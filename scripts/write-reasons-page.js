// Writes docs/reference/reasons.md from the tables of reasons. Run `npm run build` first.
import { mkdirSync, writeFileSync } from "node:fs";
import { reasonsPage } from "../packages/gateway/dist/outcomes/reasons/reasons-page.js";

const page = new URL("../docs/reference/reasons.md", import.meta.url);
mkdirSync(new URL(".", page), { recursive: true });
writeFileSync(page, reasonsPage());
