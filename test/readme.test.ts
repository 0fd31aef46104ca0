/** Does what README.md tells its reader to do. `npm start` and `npm test` themselves are run by .ci/run. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { carillon, cleanUp, makeFolder, paste, start } from "./support/command-line.ts";
import { providerKey } from "./support/sending.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const readme = readFileSync(join(root, "README.md"), "utf8");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** The lines of all shell blocks, without comments. */
const commands = [...readme.matchAll(/^```sh\n(.*?)^```/gms)]
  .flatMap(([, block = ""]) => block.split("\n"))
  .map((line) => line.replace(/\s+#.*$/, "").trim())
  .filter((line) => line !== "");

const anyPorts = {
  CARILLON_LISTEN_PORT: "0",
  CARILLON_SIMULATOR_PORT: "0",
  CARILLON_SIMULATOR_CONTROL_PORT: "0",
};

afterEach(cleanUp);

test("every command in it is one that a test here runs", () => {
  expect(commands).toEqual([
    "npm start",
    "npm test",
    "npx carillon --help",
    "npx carillon simulate",
    "npx carillon serve --config carillon.yaml",
    "npx carillon doctor",
  ]);
});

test("npm start ends in `carillon dev`, and npm test in vitest", () => {
  expect(manifest.scripts.start).toBe("node scripts/set-up.js && node packages/gateway/dist/cli/main.js dev");
  expect(manifest.scripts.test).toBe("node scripts/set-up.js && vitest run");
});

test("the first push: the printed curl line, pasted, is answered `accepted`; Ctrl-C stops everything", async (context) => {
  if (spawnSync("curl", ["--version"]).error !== undefined) context.skip("there is no curl on this machine");
  const folder = makeFolder();
  const demo = start(["dev"], { folder, environment: anyPorts });
  const [line] = await demo.untilPrinted(/^curl .*$/m);
  const pasted = await paste(line, { folder });
  expect(pasted).toMatchObject({ status: 0, stderr: "" });
  const [result] = JSON.parse(pasted.stdout).results;
  expect(result).toMatchObject({ status: "accepted", apnsId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  await demo.untilPrinted(/ {2}accepted {2}3f1c09ab… {2}alert {2}"Hello"$/m);
  demo.signal("SIGINT");
  expect(await demo.ended()).toMatchObject({ status: 0 });
});

test("npx carillon --help shows the commands of the README", async () => {
  const { status, stdout } = await carillon(["--help"]);
  expect(status).toBe(0);
  for (const name of ["simulate", "serve", "doctor"]) expect(stdout).toContain(`  ${name} `);
});

test("npx carillon simulate prints a line that sends a push to it", async () => {
  const folder = makeFolder();
  const simulator = start(["simulate"], { folder, environment: anyPorts });
  const [line] = await simulator.untilPrinted(/^.* send .*$/m);
  const pasted = await paste(line, { folder });
  expect(pasted).toMatchObject({ status: 0, stderr: "" });
  expect(pasted.stdout).toMatch(/^accepted /);
});

/** With the smallest configuration there is. */
function makeConfiguredFolder(): string {
  const folder = makeFolder();
  writeFileSync(join(folder, "AuthKey_ABC123DEFG.p8"), providerKey);
  const yaml = `
apps:
  - name: demo
    topic: com.example.demo
    environment: sandbox
    credentials: { token: { keyFile: AuthKey_ABC123DEFG.p8, keyId: ABC123DEFG, teamId: DEF123GHIJ } }
`;
  writeFileSync(join(folder, "carillon.yaml"), yaml);
  return folder;
}

test("npx carillon serve --config carillon.yaml serves", async () => {
  const folder = makeConfiguredFolder();
  const server = start(["serve", "--config", "carillon.yaml"], {
    folder,
    environment: { CARILLON_LISTEN_PORT: "0" },
  });
  await server.untilPrinted(/listening on http/);
  server.signal("SIGINT");
  expect(await server.ended()).toMatchObject({ status: 0 });
});

test("npx carillon doctor finds nothing wrong with the same folder", async () => {
  const { status, stdout } = await carillon(["doctor"], { folder: makeConfiguredFolder() });
  expect(status).toBe(0);
  expect(stdout).toContain("no problems");
});

test("every file that it links to is there", () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path = ""]) => path);
  expect(links.length).toBeGreaterThan(0);
  expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
