import { expect, test } from "vitest";
import { loadDriver } from "./driver.ts";
import { migrate } from "./schema.ts";
import { TokenEnvironments } from "./token-environments.ts";

test("remembers so many and no more: those that were found first make room", async () => {
  const database = (await loadDriver()).open(":memory:");
  migrate(database);
  const environments = new TokenEnvironments(database, 3);
  const learn = (deviceToken: string): void =>
    environments.learn({ app: "demo", deviceToken, environment: "sandbox" }, 1_000);
  const all = ["a", "b", "c", "d"];
  const known = (): string[] => environments.find("demo", all).map(({ deviceToken }) => deviceToken);
  for (const each of ["a", "b", "c"]) learn(each);
  expect(known()).toEqual(["a", "b", "c"]);
  learn("d");
  expect(known()).toEqual(["b", "c", "d"]);
  // Found anew, it is the latest.
  learn("b");
  learn("a");
  expect(known()).toEqual(["a", "b", "d"]);
  database.close();
});
