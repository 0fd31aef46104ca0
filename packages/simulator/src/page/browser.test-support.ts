import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const flags = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

/** A browser, or why there is none on this machine. */
export type BrowserStart =
  | { readonly kind: "started"; readonly browser: Browser }
  | { readonly kind: "missing"; readonly why: string };

/** Starts the browser that npm installed, else the one of the system. */
export async function startBrowser(): Promise<BrowserStart> {
  const reasons: string[] = [];
  for (const find of [findInstalled, findOfSystem]) {
    try {
      const executablePath = await find();
      const browser = await chromium.launch({ executablePath, args: flags, timeout: 20_000 });
      return { kind: "started", browser };
    } catch (error) {
      reasons.push((error as Error).message.split("\n", 1)[0]!);
    }
  }
  return { kind: "missing", why: reasons.join("; ") };
}

async function findInstalled(): Promise<string> {
  const { default: installed } = await import("@sparticuz/chromium");
  return installed.executablePath();
}

async function findOfSystem(): Promise<string> {
  const path = "/usr/bin/chromium";
  if (!existsSync(path)) throw new Error(`there is no ${path}`);
  return path;
}
