import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProviderTokenCache } from "@carillon/apns";

/**
 * Keeps a key's provider token in the data folder, so that a new start goes on with it: APNs takes a new one only every 20
 * minutes, however often the gateway is started. The file has mode 0600 and is worth nothing after an hour.
 */
export function providerTokenFile(dataDir: string, keyId: string, teamId: string): ProviderTokenCache {
  const file = join(dataDir, `provider-token-${teamId}-${keyId}`);
  return {
    load: () => readFileSync(file, "utf8").trim(),
    save(providerToken) {
      const draft = `${file}.new`;
      writeFileSync(draft, `${providerToken}\n`, { mode: 0o600 });
      renameSync(draft, file);
    },
  };
}
