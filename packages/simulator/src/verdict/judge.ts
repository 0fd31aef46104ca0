import { isUuid, makeApnsId } from "@carillon/apns";
import type { PushRequest } from "./push-request.ts";
import { type Court, type Refusal, ruleOrders } from "./rules.ts";
import type { Sender } from "./sender.ts";

/** What is said to one request. */
export interface Verdict {
  /** The sender's id; or one made here, in upper case as Apple's. */
  readonly apnsId: string;
  readonly refusal: Refusal | undefined;
  /** The rule that refused. */
  readonly rule: string | undefined;
  /** Whether the request had proved who it is from, refused or not. */
  readonly isAuthenticated: boolean;
}

/** Asks the rules in their order. */
export function judge(push: PushRequest, sender: Sender, court: Court): Verdict {
  const apnsId = push.apnsId !== undefined && isUuid(push.apnsId) ? push.apnsId : makeApnsId().toUpperCase();
  let isAuthenticated = false;
  for (const rule of ruleOrders[court.assumptions.order]) {
    const refusal = rule.check(push, sender, court);
    if (refusal !== undefined) {
      return {
        apnsId,
        refusal: typeof refusal === "string" ? { reason: refusal } : refusal,
        rule: rule.name,
        isAuthenticated,
      };
    }
    if (rule.name === "authentication") isAuthenticated = true;
  }
  return { apnsId, refusal: undefined, rule: undefined, isAuthenticated };
}
