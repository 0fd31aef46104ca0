import { isSecret } from "./signature.ts";
import type { WebhookSettings } from "./webhook.ts";

/** Keeps secrets from those who have the database alone. */
export interface SecretSealer {
  seal(secret: string, name: string): string;
  /** Undefined where another key has sealed it. */
  unseal(sealed: string, name: string): string | undefined;
}

/** The settings as they are stored. A secret that could not be opened stays as it is. */
export function writeSettings(id: string, settings: WebhookSettings, sealer: SecretSealer): string {
  const secrets = settings.secrets.map(({ secret, ...rest }) => ({
    secret: isSecret(secret) ? sealer.seal(secret, nameOf(id)) : secret,
    ...rest,
  }));
  return JSON.stringify({ ...settings, secrets });
}

/** `isPlain`: a secret of it lies unsealed in the store, as those of older versions do. */
export function readSettings(
  id: string,
  stored: string,
  sealer: SecretSealer,
): { readonly settings: WebhookSettings; readonly isPlain: boolean } {
  const settings = JSON.parse(stored) as WebhookSettings;
  const secrets = settings.secrets.map(({ secret, ...rest }) => ({
    secret: isSecret(secret) ? secret : (sealer.unseal(secret, nameOf(id)) ?? secret),
    ...rest,
  }));
  return {
    settings: { ...settings, secrets },
    isPlain: settings.secrets.some(({ secret }) => isSecret(secret)),
  };
}

function nameOf(id: string): string {
  return `webhook ${id}`;
}
