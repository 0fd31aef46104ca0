/** The apps that may send: each app's credentials become its ways to Apple. And how secrets are kept. */
export { type App, Apps } from "./apps.ts";
export { Sealer } from "./sealer.ts";
export { openSealingKey } from "./sealing-key.ts";
export { makeSecretFile } from "./secret-file.ts";
