/** Where pushes go. */
export interface Sink {
  readonly port: number;
  readonly ca: string;
}

/** One of the libraries that are compared. */
export interface Sender {
  /** Resolves when the push was answered 200, rejects otherwise; where there is `isAccepted`, that one says so. `ordinal` makes token and payload distinct. */
  send(ordinal: number): Promise<unknown>;
  isAccepted?(result: unknown): boolean;
  close(): Promise<unknown> | undefined;
}
