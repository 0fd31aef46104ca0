import { readFileSync } from "node:fs";
import { rejectionReasons } from "@carillon/apns";
import { expect, test } from "vitest";
import { explainReason } from "./explain-reason.ts";
import { reasonsPage } from "./reasons-page.ts";

test("the page says what the tables say; npm run reasons writes it anew", () => {
  const page = new URL("../../../../../docs/reference/reasons.md", import.meta.url);
  expect(readFileSync(page, "utf8")).toBe(reasonsPage());
});

test("row 73: every reason of Apple's and our own is explained: what it means, who must act, what to do", () => {
  const own = [
    "gateway-stopped",
    "timeout",
    "socket-closed",
    "reset",
    "protocol",
    "damaged-on-disk",
    "expired",
  ];
  const told = ["bad-notification: topic, payload", "environment-suspect: BadDeviceToken"];
  for (const reason of [...Object.keys(rejectionReasons), ...own, ...told]) {
    const { fault, means, remedy } = explainReason(reason) ?? {};
    expect(fault, reason).toBeTruthy();
    expect(means, reason).toMatch(/\.$/);
    expect(remedy, reason).toMatch(/\.$/);
  }
});

test("words that nobody knows are not explained", () => {
  for (const reason of ["TooCold", "", "constructor", "__proto__", "a: b"])
    expect(explainReason(reason)).toBeUndefined();
});
