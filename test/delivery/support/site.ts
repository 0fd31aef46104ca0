import { mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Simulator } from "@carillon/simulator";
import { makeFolder, type RunningCommand } from "../../support/command-line.ts";

/** A folder with a configuration for `carillon serve`: one app, `demo`, that sends to `apple`; its data lies in `data`. */
export function makeSite(
  apple: Pick<Simulator, "endpoint" | "ca" | "topic" | "credentials">,
  folder: string = realpathSync(makeFolder()),
): string {
  const { key, keyId, teamId } = apple.credentials.token;
  writeFileSync(join(folder, "key.p8"), key);
  writeFileSync(join(folder, "ca.pem"), apple.ca);
  const app = {
    ...{ name: "demo", topic: apple.topic, environment: "sandbox", endpoint: apple.endpoint, ca: "ca.pem" },
    credentials: { token: { keyFile: "key.p8", keyId, teamId } },
  };
  const config = { listen: { port: 0 }, data: "data", apps: [app] };
  writeFileSync(join(folder, "carillon.yaml"), JSON.stringify(config));
  mkdirSync(join(folder, "data"), { recursive: true, mode: 0o700 });
  return folder;
}

/** Where a `carillon serve` listens, as it prints it, and the key it takes. */
export async function addressOf(server: RunningCommand): Promise<{ url: string; key: string }> {
  const [, url = ""] = await server.untilPrinted(/listening on (\S+)/);
  const [, keyFile = ""] = await server.untilPrinted(/admin key: (.*)/);
  return { url, key: readFileSync(keyFile, "utf8") };
}
