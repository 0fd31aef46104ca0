import { parseDeviceToken } from "@carillon/apns";
import { type ListRequest, parseCursor } from "../../delivery/index.ts";
import type { FieldProblem } from "../contract/answers.ts";
import type { ListQuery } from "../contract/listing.ts";
import { ApiProblem } from "../problems/api-problem.ts";
import { parseTimestamp } from "../submission/timestamp.ts";

const usualLimit = 100;

/** @throws {ApiProblem} with all that is wrong */
export function readListRequest(query: ListQuery): ListRequest {
  const errors: FieldProblem[] = [];
  const read = <T>(parameter: keyof ListQuery, parse: (text: string) => T | undefined, detail: string) => {
    const text = query[parameter];
    if (text === undefined) return undefined;
    const value = parse(String(text));
    if (value === undefined) errors.push({ parameter, detail });
    return value;
  };
  const timeForm =
    "This must be a time with its offset, such as 2026-12-01T09:00:00Z; + is %2B in an address.";
  const sinceMs = read("since", parseTimestamp, timeForm);
  const untilMs = read("until", parseTimestamp, timeForm);
  const deviceToken = read("token", parseDeviceToken, "This must be a device token, 8 to 200 hex digits.");
  const after = read("after", parseCursor, "This must be the cursor of an earlier page, as it came.");
  if (sinceMs !== undefined && untilMs !== undefined && sinceMs >= untilMs)
    errors.push({ parameter: "until", detail: "This is not after since, so that nothing can lie between." });
  if (errors.length > 0) throw new ApiProblem("invalid", "A parameter of the address is wrong.", errors);
  const { status, reference, limit = usualLimit } = query;
  return {
    limit,
    ...(status === undefined ? {} : { status }),
    ...(reference === undefined ? {} : { reference }),
    ...(deviceToken === undefined ? {} : { deviceToken: deviceToken.toLowerCase() }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
    ...(after === undefined ? {} : { after }),
  };
}
