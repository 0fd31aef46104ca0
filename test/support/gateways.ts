import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Simulator } from "@carillon/simulator";
import { type AppConfig, type Config, type Gateway, startGateway } from "carillon";
import { onTestFinished } from "vitest";

export const demoPath = "/v1/apps/demo/notifications";

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "carillon-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An app that sends to a simulator. */
export function appFor(simulator: Pick<Simulator, "endpoint" | "ca" | "topic" | "credentials">): AppConfig {
  return {
    name: "demo",
    topic: simulator.topic,
    environment: "sandbox",
    endpoint: simulator.endpoint,
    ca: simulator.ca,
    credentials: simulator.credentials.token,
  };
}

export function configFor(dataDir: string, ...apps: readonly AppConfig[]): Config {
  return { listen: { host: "127.0.0.1", port: 0 }, dataDir, logLevel: "silent", apps };
}

/** A gateway that is closed after the test. */
export async function openGateway(config: Config): Promise<Gateway> {
  const gateway = await startGateway({ config });
  onTestFinished(() => gateway.close({ deadlineMs: 1_000 }));
  return gateway;
}

/** What a call says. */
export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  readonly body: any;
}

export async function call(gateway: Gateway, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${gateway.url}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      authorization: `Bearer ${gateway.adminKey}`,
      connection: "close",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}
