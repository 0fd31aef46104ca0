import { rejectionReasons } from "@carillon/apns";
import { whoActs } from "./explain-reason.ts";
import { type Explanation, ownReasons } from "./own-reasons.ts";

/** `docs/reference/reasons.md`, written by `npm run reasons`. */
export function reasonsPage(): string {
  const apple = Object.entries(rejectionReasons).map(
    ([reason, { status, ...rest }]) => `| \`${reason}\` | ${status} | ${cellsOf(rest)} |`,
  );
  const own = Object.entries(ownReasons).map(([reason, rest]) => `| \`${reason}\` | ${cellsOf(rest)} |`);
  return [
    "# Reasons",
    "",
    "Why a notification was not accepted: what stands in `reason` of `GET …/notifications/{id}`, of events and incidents, and of",
    "`carillon send`. `npm run reasons` writes this page from the tables that the code uses; a test holds it against them.",
    "",
    "## Apple's",
    "",
    "| reason | status | means | who must act | what to do |",
    "| --- | --- | --- | --- | --- |",
    ...apple,
    "",
    "A reason that is not listed is newer than this version; it is passed on as Apple wrote it.",
    "`environment-suspect:` before a reason says that nearly all device tokens of that way to Apple are bad, so that the",
    "environment or the topic is at fault rather than the token.",
    "",
    "## Carillon's own",
    "",
    "| reason | means | who must act | what to do |",
    "| --- | --- | --- | --- |",
    ...own,
    "",
  ].join("\n");
}

function cellsOf({ means, fault, remedy }: Explanation): string {
  return `${means} | ${whoActs[fault]} | ${remedy}`;
}
