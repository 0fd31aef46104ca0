/** What the bridge lets its senders have. */
export interface BridgeLimits {
  /** Connections on both ports together, handshakes among them; further ones are closed at once. @default 20,000 */
  readonly maxConnections: number;
  /** Connections of one app. @default 12,000 */
  readonly maxConnectionsPerApp: number;
  /** How long a TLS handshake may take. @default 10,000 */
  readonly handshakeMs: number;
  /** How long a frame may take from its first byte to its last. @default 30,000 */
  readonly frameMs: number;
  /** Bytes of one connection that were read and are not on disk, or not answered; then nothing is read. @default 1 MiB */
  readonly maxUnsettledBytes: number;
  /**
   * The same while its app is paused or held by its rate, which may be long. Not 0: of a sender that is not read nobody notices
   * that it has gone. @default 64 KiB
   */
  readonly maxHeldBytes: number;
  /** Pass-through: frames of one connection that were sent and are not answered. @default 100 */
  readonly window: number;
  /** Pass-through: times that one notification is tried before the sender is told to come again. @default 3 */
  readonly attempts: number;
  /** How long a connection that was told its error is read on, so that the error arrives. @default 5,000 */
  readonly lingerMs: number;
  /** How long a reader of feedback may take to read on. @default 60,000 */
  readonly feedbackStallMs: number;
}

export const defaultBridgeLimits: BridgeLimits = {
  maxConnections: 20_000,
  maxConnectionsPerApp: 12_000,
  handshakeMs: 10_000,
  frameMs: 30_000,
  maxUnsettledBytes: 1_048_576,
  maxHeldBytes: 65_536,
  window: 100,
  attempts: 3,
  lingerMs: 5_000,
  feedbackStallMs: 60_000,
};

/** What the bridge tells the log; a pino logger is one. */
export interface BridgeLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
