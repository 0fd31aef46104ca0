/** A device token that turned out to belong to this environment. */
export interface FoundToken {
  readonly app: string;
  /** Lower-case hex. */
  readonly deviceToken: string;
  readonly environment: string;
}

/** So many device tokens are remembered, of all apps; those that were found first make room. */
export const mostFoundTokens = 500_000;

/** Where device tokens belong that were sent to the wrong environment first. Notes of a settlement bring them in. */
export interface TokenEnvironmentStore {
  /** Those of these device tokens that are known. */
  findEnvironments(app: string, deviceTokens: readonly string[]): Promise<readonly FoundToken[]>;
  /** Forgets those that were found before `beforeMs`; resolves with how many went. */
  purgeEnvironments(beforeMs: number, limit: number): Promise<number>;
}
