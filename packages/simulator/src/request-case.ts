import type { AnswerParts } from "./verdict/index.ts";

/** One request that came whole: what it is about, what is said to it, and what follows. */
export interface RequestCase {
  /** Lower case; "" where it is for no device. */
  readonly deviceToken: string;
  readonly topic: string | undefined;
  readonly pushType: string | undefined;
  /** What is to be said. Nothing follows from it yet. @param idleMs how long the connection had no request before */
  judge(idleMs: number): Judgement;
  /** An answer was given, or withheld by a scenario's will: what the request asked for is done, and written down. */
  settle(given: Pick<AnswerParts, "status" | "reason">, answer: "sent" | "withheld"): void;
}

export interface Judgement {
  readonly parts: AnswerParts;
  /** Whether the request had proved who it is from, refused or not. */
  readonly isAuthenticated: boolean;
}
