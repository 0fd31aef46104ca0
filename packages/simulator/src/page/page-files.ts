import { inspectorScript } from "./inspector-script.ts";
import { lockScreenScript } from "./lock-screen-script.ts";
import { mainScript } from "./main-script.ts";
import { pageHtml, pageIcon } from "./page-html.ts";
import { pageStyle } from "./page-style.ts";
import { readingScript } from "./reading-script.ts";

/** A file of the page, as it goes to the browser. */
export interface PageFile {
  readonly contentType: string;
  readonly text: string;
}

/** What the page may load: its own files, and nothing that is written into it. */
export const pagePolicy = [
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'",
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
].join("; ");

const script = (text: string): PageFile => ({ contentType: "text/javascript; charset=utf-8", text });

/** By path. They are texts in modules, so that they lie in `dist` without a build step of their own. */
const files: ReadonlyMap<string, PageFile> = new Map([
  ["/", { contentType: "text/html; charset=utf-8", text: pageHtml }],
  ["/page/style.css", { contentType: "text/css; charset=utf-8", text: pageStyle }],
  ["/page/icon.svg", { contentType: "image/svg+xml", text: pageIcon }],
  ["/page/main.js", script(mainScript)],
  ["/page/reading.js", script(readingScript)],
  ["/page/lock-screen.js", script(lockScreenScript)],
  ["/page/inspector.js", script(inspectorScript)],
]);

/** The page itself lies at `/`, what it loads below `/page/`. */
export function findPageFile(path: string): PageFile | undefined {
  return files.get(path);
}
