/** How far senders of the retired binary protocol have read their feedback: cursors of verdicts, one for an app and environment. */
export interface FeedbackReaderStore {
  /** 0 where nobody has read anything. */
  feedbackReadUpTo(app: string, environment: string): Promise<number>;
  /** A cursor never goes back. */
  markFeedbackRead(app: string, environment: string, cursor: number): Promise<void>;
}
