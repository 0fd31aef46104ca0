/** What APNs answers: the table of its reasons, and an answer read into one of the kinds of outcome. */
export { type Answer, findField, readAnswer } from "./answer.ts";
export type {
  Accepted,
  ConnectionName,
  Indeterminate,
  Outcome,
  Rejected,
  Unprocessed,
  Unrecognized,
} from "./outcome.ts";
export {
  type Fault,
  parseRejectionReason,
  type RejectionReason,
  type RejectionRule,
  rejectionReasons,
} from "./rejection-reason.ts";
