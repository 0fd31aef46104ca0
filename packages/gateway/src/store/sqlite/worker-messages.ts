import type { Answer, Call } from "./calls.ts";

/** What the worker is started with. */
export interface WorkerStart {
  readonly dataDir: string;
}

/** To the worker. */
export type ToWorker =
  | { readonly kind: "call"; readonly id: number; readonly call: Call }
  | { readonly kind: "close" };

/** From the worker. `opened` or `refused` is the first message. */
export type FromWorker =
  | { readonly kind: "opened"; readonly driver: string }
  | { readonly kind: "refused"; readonly detail: string }
  | {
      readonly kind: "answers";
      readonly answers: readonly { readonly id: number; readonly answer: Answer }[];
      /** Whether there are new events to read. */
      readonly hasEvents: boolean;
    }
  | { readonly kind: "failed"; readonly detail: string };
