import Type from "typebox";
import { expect, test } from "vitest";
import { findSchemaProblems } from "./schema-problems.ts";

const schema = Type.Object(
  {
    name: Type.String({ minLength: 2, maxLength: 4, pattern: "^[a-z]+$", description: "It is a name." }),
    size: Type.Optional(Type.Integer({ minimum: 1, maximum: 9 })),
    most: Type.Optional(Type.Number({ maximum: 9 })),
    kind: Type.Optional(Type.Enum(["a", "b"])),
    text: Type.Optional(Type.Union([Type.String(), Type.Object({ body: Type.String() })])),
    list: Type.Optional(Type.Array(Type.Boolean(), { minItems: 1, maxItems: 2 })),
    one: Type.Optional(
      Type.Object(
        { x: Type.Optional(Type.String()), y: Type.Optional(Type.String()) },
        { additionalProperties: false, minProperties: 1, maxProperties: 1 },
      ),
    ),
    open: Type.Optional(Type.Object({}, { additionalProperties: true })),
  },
  { additionalProperties: false },
);

function problemsOf(value: unknown): string[] {
  return findSchemaProblems(schema, value).map(({ path, detail }) => `${path.join("/")}: ${detail}`);
}

test("finds nothing where nothing is wrong", () => {
  const good = [
    { name: "abc" },
    {
      name: "abc",
      size: 9,
      most: -0.5,
      kind: "b",
      text: "x",
      list: [true],
      one: { x: "" },
      open: { any: [1] },
    },
    { name: "abc", text: { body: "x" } },
  ];
  for (const value of good) expect(problemsOf(value)).toEqual([]);
});

test.each([
  [{}, "name: This is missing. It is a name."],
  [{ name: 5 }, "name: This must be a string, not a number. Put it in quotes. It is a name."],
  [{ name: "a" }, "name: This needs at least 2 characters. It is a name."],
  [{ name: "abcde" }, "name: This has 5 characters; at most 4 are allowed. It is a name."],
  [{ name: "AB" }, "name: This does not have the form it needs. It is a name."],
  [{ name: "abc", size: 0 }, "size: 0 is out of range: use 1 to 9."],
  [{ name: "abc", size: 1.5 }, "size: This must be a whole number, not a fraction."],
  [{ name: "abc", most: 10 }, "most: 10 is too much: at most 9 is allowed."],
  [{ name: "abc", kind: "c" }, 'kind: This must be "a" or "b".'],
  [{ name: "abc", text: 5 }, "text: This must be a string or an object, not a number."],
  [{ name: "abc", text: {} }, "text/body: This is missing."],
  [{ name: "abc", list: [] }, "list: This needs at least one entry."],
  [{ name: "abc", list: [true, true, true] }, "list: This has 3 entries; at most 2 are allowed."],
  [{ name: "abc", list: [true, "x"] }, "list/1: This must be true or false, not a string."],
  [{ name: "abc", one: {} }, "one: This must name one of x or y."],
  [{ name: "abc", one: { x: "", y: "" } }, "one: Only one of x or y may stand here. Take the others out."],
  [{ name: "abc", nmae: "" }, 'nmae: There is no such key. Did you mean "name"?'],
  [[], ": This must be an object, not a list."],
  [null, ": This must be an object, not null."],
])("%j: %s", (value, problem) => {
  expect(problemsOf(value)).toContain(problem);
});

test("tells all problems, in the order of the value, and repeats no string that was given", () => {
  const problems = problemsOf({ size: "secret", name: "SECRET", kind: "secret", list: ["secret"] });
  expect(problems.map((problem) => problem.split(":")[0])).toEqual(["size", "name", "kind", "list/0"]);
  expect(problems.join("\n")).not.toMatch(/secret/i);
});

test("a key that every object has is not taken for a known one", () => {
  expect(problemsOf({ name: "abc", constructor: 1 })).toEqual([
    "constructor: There is no such key. Take it out; known here: name, size, most, kind, text, list, one, open.",
  ]);
});
