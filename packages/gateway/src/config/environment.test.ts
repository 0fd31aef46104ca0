import { expect, test } from "vitest";
import { readEnvironment, variableOf } from "./environment.ts";

function settingsOf(environment: Record<string, string>): Record<string, unknown> {
  const { settings, unknown } = readEnvironment(environment);
  expect(unknown).toEqual([]);
  return Object.fromEntries(settings.map(({ path, value }) => [path.join("."), value]));
}

test("every key has a variable: its path in capitals", () => {
  expect(
    settingsOf({
      CARILLON_LISTEN_HOST: "0.0.0.0",
      CARILLON_LISTEN_PORT: "9090",
      CARILLON_DATA: "/data",
      CARILLON_LOG_LEVEL: "debug",
      CARILLON_APPS_0_NAME: "demo",
      CARILLON_APPS_12_CREDENTIALS_TOKEN_KEY_FILE: "a.p8",
      CARILLON_APPS_0_CREDENTIALS_CERTIFICATE_PASSPHRASE: "123",
    }),
  ).toEqual({
    "listen.host": "0.0.0.0",
    "listen.port": 9090,
    data: "/data",
    "log.level": "debug",
    "apps.0.name": "demo",
    "apps.12.credentials.token.keyFile": "a.p8",
    "apps.0.credentials.certificate.passphrase": "123",
  });
});

test("a key and its variable lead to each other", () => {
  const path = ["apps", 3, "credentials", "pkcs12", "passphraseFile"];
  const variable = variableOf(path);
  expect(variable).toBe("CARILLON_APPS_3_CREDENTIALS_PKCS12_PASSPHRASE_FILE");
  expect(readEnvironment({ [variable]: "x" }).settings).toEqual([{ variable, path, value: "x" }]);
});

test("a number that is none stays text, for the schema to refuse", () => {
  expect(settingsOf({ CARILLON_LISTEN_PORT: "http" })).toEqual({ "listen.port": "http" });
});

test("empty variables, those of others and those of other parts of Carillon count as absent", () => {
  const read = readEnvironment({
    CARILLON_DATA: "",
    PATH: "/bin",
    CARILLON_API_KEY: "x",
    CARILLON_CONFIG: "y",
  });
  expect(read).toEqual({ settings: [], unknown: [], warnings: [] });
});

test("a slip in a section is a problem, with the name that was meant", () => {
  const { unknown } = readEnvironment({ CARILLON_LISTEN_PROT: "1", CARILLON_APPS_X_NAME: "y" });
  expect(unknown.map(({ variable }) => variable)).toEqual(["CARILLON_APPS_X_NAME", "CARILLON_LISTEN_PROT"]);
  expect(unknown[1]?.detail).toBe(
    "There is no such setting. Did you mean CARILLON_LISTEN_PORT? Unset it or correct its name.",
  );
});

test("a variable that an orchestrator may have put there is only warned about", () => {
  const { unknown, warnings } = readEnvironment({ CARILLON_PORT_8080_TCP: "tcp://10.0.0.1:8080" });
  expect(unknown).toEqual([]);
  expect(warnings).toEqual(["CARILLON_PORT_8080_TCP sets nothing."]);
});
