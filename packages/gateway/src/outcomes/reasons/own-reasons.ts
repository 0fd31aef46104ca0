import type { Fault } from "@carillon/apns";

/** A reason in words for people. */
export interface Explanation {
  /** What is at fault, and so who must act. */
  readonly fault: Fault | "operator";
  readonly means: string;
  readonly remedy: string;
}

/** Reasons that are Carillon's own: no answer came, or nothing was sent. */
export const ownReasons = {
  "gateway-stopped": {
    fault: "service",
    means:
      "The gateway stopped while this at-most-once notification was on its way; nobody knows whether it arrived.",
    remedy: "Send it anew if a second one does no harm, or ask for at-least-once delivery.",
  },
  "socket-closed": noAnswer("The connection ended before an answer came."),
  reset: noAnswer("The server took the request back without an answer."),
  timeout: noAnswer("No answer came in time."),
  protocol: noAnswer("The answer broke the protocol."),
  "expired after an attempt without an answer": {
    fault: "service",
    means:
      "Its time was over before it could be tried again, and an earlier attempt got no answer, " +
      "or the gateway was killed while it may have been on its way.",
    remedy: "It may have arrived. Send it anew only if a second one does no harm.",
  },
  "bad-notification": {
    fault: "request",
    means: "The client refused to send it: the named fields break Apple's rules.",
    remedy: "Correct the fields and send it again.",
  },
  "damaged-on-disk": {
    fault: "operator",
    means: "The stored bytes of its batch are damaged, so that it cannot be sent.",
    remedy: "Look at the disk of the gateway, and send the notification anew.",
  },
  expired: {
    fault: "pace",
    means: "Its time was over before Apple took it; nothing was sent after that.",
    remedy: "Give it a longer ttl, or look at what the route waited for.",
  },
} as const satisfies Record<string, Explanation>;

function noAnswer(means: string): Explanation {
  return {
    fault: "service",
    means: `${means} It may have arrived.`,
    remedy:
      "At-least-once delivery tries again by itself; with at-most-once send it anew only if a second one does no harm.",
  };
}
