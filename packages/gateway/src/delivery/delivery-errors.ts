/** The queue holds as much as it may. Nothing of the submission was stored. */
export class QueueFullError extends Error {
  override readonly name = "QueueFullError";
  /** When it makes sense to try again, whole seconds, 1 or more. */
  readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterSeconds: number) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
