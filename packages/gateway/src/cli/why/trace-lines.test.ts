import { expect, test } from "vitest";
import { openTerminal } from "../terminal.ts";
import { linesOfTrace, type ShownTrace, wrap } from "./trace-lines.ts";

const terminal = openTerminal();
const trace: ShownTrace = {
  ...{ id: "0193", apnsId: "own", app: "demo", environment: "sandbox", lane: "normal", status: "accepted" },
  ...{ reference: "order\u001b[31m 7", summary: "Apple has it." },
  steps: [
    { at: "2026-12-01T00:00:00.000Z", kind: "stored", text: "Taken." },
    { kind: "webhook", text: "Posted." },
  ],
  checks: [{ about: "settings", text: "Is it allowed?" }],
  notes: ["Its payload is no longer kept."],
};

test("shows the head, the summary, each step in its column, and what to look at", () => {
  expect(linesOfTrace(trace, terminal)).toEqual([
    "0193  accepted  demo · sandbox · normal · reference order [31m 7 · apns-id own",
    "Apple has it.",
    "",
    "2026-12-01T00:00:00.000Z  stored     Taken.",
    "                          webhook    Posted.",
    "",
    "To check, for Carillon cannot see it:",
    "- Is it allowed?",
    "",
    "Not known here:",
    "- Its payload is no longer kept.",
  ]);
  const bare = linesOfTrace({ ...trace, checks: [], notes: [] }, terminal);
  expect(bare.at(-1)).toMatch(/webhook {4}Posted\.$/);
});

test("breaks lines between words, below the first, and leaves a word that is too long whole", () => {
  const lines = wrap("- ", `${"word ".repeat(50)}${"x".repeat(150)}`);
  expect(lines[0]).toMatch(/^- word/);
  expect(lines.slice(1).every((line) => line.startsWith("  ") && line[2] !== " ")).toBe(true);
  expect(lines.at(-1)).toBe(`  ${"x".repeat(150)}`);
  expect(lines.slice(0, -1).every((line) => line.length <= 110)).toBe(true);
  expect(lines.map((line) => line.slice(2)).join(" ")).toBe(`${"word ".repeat(50)}${"x".repeat(150)}`);
});
