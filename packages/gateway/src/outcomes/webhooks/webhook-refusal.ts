/** What is asked of webhooks cannot be done; nothing was changed. The message says what to do. */
export class WebhookRefusal extends Error {
  override readonly name = "WebhookRefusal";
  readonly kind: "unknown" | "invalid" | "too-many" | "stopping";
  /** What of the request is at fault, or "". */
  readonly field: string;

  constructor(kind: WebhookRefusal["kind"], field: string, message: string) {
    super(message);
    this.kind = kind;
    this.field = field;
  }
}
