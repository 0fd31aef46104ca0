import { expect, test } from "vitest";
import { showsColours } from "./terminal.ts";

test.each([
  [{ isTTY: true }, {}, true],
  [{ isTTY: true }, { NO_COLOR: "1" }, false],
  [{ isTTY: true }, { NO_COLOR: "" }, true],
  [{ isTTY: true }, { TERM: "dumb" }, false],
  [{ isTTY: true }, { TERM: "xterm-256color" }, true],
  [{ isTTY: false }, { FORCE_COLOR: "1" }, false],
  [{}, {}, false],
])("a stream %j in %j has colours: %s", (stream, environment, expected) => {
  expect(showsColours(stream, environment)).toBe(expected);
});
