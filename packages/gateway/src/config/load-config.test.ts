import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { oldPkcs12Passphrase, oldRsaPkcs12File } from "../../../../test/support/old-pkcs12-file.ts";
import { pkcs12File, pkcs12Passphrase } from "../../../../test/support/pkcs12-file.ts";
import { makePushCertificate } from "../../../../test/support/push-certificate.ts";
import { makeServerCertificate } from "../../../../test/support/server-certificate.ts";
import type { Config } from "./config.ts";
import { loadConfig } from "./load-config.ts";

const key = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ format: "pem", type: "pkcs8" })
  .toString();

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "load-config-"));
  writeFileSync(join(folder, "key.p8"), key);
});
afterEach(() => rmSync(folder, { recursive: true }));

const app = `
  - name: demo
    topic: com.example.demo
    environment: sandbox
    credentials: { token: { keyFile: key.p8, keyId: ABC123DEFG, teamId: DEF123GHIJ } }
`;

type Variables = Record<string, string>;

function load(yaml: string | undefined, environment: Variables = {}) {
  if (yaml !== undefined) writeFileSync(join(folder, "carillon.yaml"), yaml);
  return loadConfig({ file: yaml === undefined ? undefined : "carillon.yaml", environment, folder });
}

function configOf(yaml: string | undefined, environment: Variables = {}): Config {
  const loaded = load(yaml, environment);
  if (loaded.kind === "invalid") throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

/** `where path: detail` of each problem. */
function problemsOf(yaml: string | undefined, environment: Variables = {}): string[] {
  const loaded = load(yaml, environment);
  return loaded.kind === "loaded"
    ? []
    : loaded.problems.map(({ where, path, detail }) => `${where} ${path}: ${detail}`);
}

test("the bridge has its ports, its files and the certificates that apps pin, from the file or the environment", async () => {
  const { ca, cert, key: serverKey } = await makeServerCertificate();
  writeFileSync(join(folder, "server.pem"), cert);
  writeFileSync(join(folder, "server-key.pem"), serverKey);
  writeFileSync(join(folder, "clients.pem"), ca);
  const files = "cert: server.pem, key: server-key.pem";
  const byDefault = { port: 2195, feedbackPort: 2196, mode: "queued", minTls: "TLSv1.2" };
  const config = configOf(`binary: { ${files}, clientCa: clients.pem }\napps: ${app}`, {
    CARILLON_LISTEN_HOST: "0.0.0.0",
  });
  expect(config.binary).toEqual({ host: "0.0.0.0", ...byDefault, cert, key: serverKey, clientCa: ca });
  const colons = "ab:".repeat(31).concat("ab");
  const pinned = configOf(`binary: { ${files}, port: 1 }\napps: ${app}`, {
    CARILLON_BINARY_PORT: "0",
    CARILLON_APPS_0_BINARY_FINGERPRINTS_0: colons,
  });
  expect(pinned.binary).toMatchObject({ port: 0 });
  expect(pinned.apps[0]?.fingerprints).toEqual(["AB".repeat(32)]);
});

test("everything that is wrong with the bridge is told at once", async () => {
  const { cert } = await makeServerCertificate();
  writeFileSync(join(folder, "server.pem"), cert);
  const yaml = `binary: { cert: key.p8, key: server.pem, port: 7, feedbackPort: 7, mode: fast, minTls: SSLv3 }\napps: ${app}`;
  const problems = problemsOf(yaml).join("\n");
  for (const part of [
    /binary\.cert: This file holds no certificate/,
    /binary\.key: This file holds no private key/,
    /binary\.feedbackPort: binary\.port is 7 too/,
    /binary\.clientCa: Nobody could come in/,
    /binary\.mode: .*"queued" or "pass-through"/,
    /binary\.minTls: /,
  ])
    expect(problems).toMatch(part);
  writeFileSync(join(folder, "server.pem"), cert);
  expect(problemsOf(`binary: { cert: server.pem, key: key.p8, clientCa: server.pem }\napps: ${app}`)).toEqual(
    [expect.stringMatching(/binary\.key: This is the key of another certificate/)],
  );
});

test("the least that can be written is completed with safe defaults", () => {
  expect(configOf(`apps: ${app}`)).toEqual({
    listen: { host: "127.0.0.1", port: 8080 },
    dataDir: join(folder, "carillon-data"),
    logLevel: "info",
    apps: [
      {
        name: "demo",
        topic: "com.example.demo",
        environment: "sandbox",
        credentials: { kind: "token", key: Buffer.from(key), keyId: "ABC123DEFG", teamId: "DEF123GHIJ" },
      },
    ],
  });
});

test("relative paths mean the folder of the file", () => {
  mkdirSync(join(folder, "etc"));
  writeFileSync(
    join(folder, "etc", "carillon.yaml"),
    `data: ../data\napps: ${app.replace("key.p8", "../key.p8")}`,
  );
  const loaded = loadConfig({ file: "etc/carillon.yaml", environment: {}, folder });
  expect(loaded).toMatchObject({ kind: "loaded", config: { dataDir: join(folder, "data") } });
});

test("the environment wins over the file", () => {
  const config = configOf(`listen: { host: 0.0.0.0, port: 1 }\nlog: { level: warn }\napps: ${app}`, {
    CARILLON_LISTEN_PORT: "9090",
    CARILLON_APPS_0_ENVIRONMENT: "production",
    CARILLON_LOG_LEVEL: "",
  });
  expect(config.listen).toEqual({ host: "0.0.0.0", port: 9090 });
  expect(config.apps[0]?.environment).toBe("production");
  expect(config.logLevel).toBe("warn");
});

test("reads bounds and rates, and refuses an app more than all may have", () => {
  const config = configOf(`limits: { maxQueued: 1000, maxQueuedPerApp: 900 }\napps: ${app}`, {
    CARILLON_LIMITS_MAX_QUEUED_BYTES_PER_APP: "5000000",
    CARILLON_LIMITS_MAX_IN_FLIGHT_PER_ROUTE: "100",
    CARILLON_APPS_0_RATE_LIMIT: "250",
  });
  expect(config.limits).toEqual({
    maxQueued: 1_000,
    maxQueuedPerApp: 900,
    maxQueuedBytesPerApp: 5_000_000,
    maxInFlightPerRoute: 100,
  });
  expect(config.apps[0]?.rateLimit).toBe(250);
  expect(problemsOf(`limits: { maxQueued: 1000, maxQueuedPerApp: 2000 }\napps: ${app}`)).toEqual([
    "carillon.yaml:1 limits.maxQueuedPerApp: This is more than all apps together may have (limits.maxQueued: 1000).",
  ]);
  expect(problemsOf(`limits: { maxQueued: 0 }\napps: ${app}`)).toHaveLength(1);
});

test("reads what happens when an app's device tokens turn bad in masses", () => {
  const pausing = app.replace("topic:", "massRemoval: pause\n    topic:");
  expect(configOf(`apps: ${pausing}`).apps[0]?.massRemoval).toBe("pause");
  const variables = { CARILLON_APPS_0_MASS_REMOVAL: "hold" };
  expect(configOf(`apps: ${pausing}`, variables).apps[0]?.massRemoval).toBe("hold");
  expect(problemsOf(`apps: ${pausing.replace("pause", "stop")}`)).toEqual([
    expect.stringMatching(/apps\[0\]\.massRemoval: This must be "hold" or "pause"/),
  ]);
});

test("reads whether the other environment is tried, where there is another one", async () => {
  const resolving = app.replace("topic:", "resolveEnvironment: true\n    topic:");
  expect(configOf(`apps: ${resolving}`).apps[0]?.resolveEnvironment).toBe(true);
  const variables = { CARILLON_APPS_0_RESOLVE_ENVIRONMENT: "false" };
  expect(configOf(`apps: ${resolving}`, variables).apps[0]?.resolveEnvironment).toBe(false);
  expect(configOf(`apps: ${app}`).apps[0]?.resolveEnvironment).toBeUndefined();
  expect(problemsOf(`apps: ${resolving.replace("true", "perhaps")}`)).toHaveLength(1);
  const elsewhere = resolving.replace("topic:", 'endpoint: "https://localhost:8443"\n    topic:');
  expect(problemsOf(`apps: ${elsewhere}`)).toEqual([
    expect.stringMatching(
      /apps\[0\]\.resolveEnvironment: An endpoint of its own is the app's only environment/,
    ),
  ]);
});

test("an app whose certificate is for one environment cannot try the other one, one for both can", async () => {
  const of = async (environments: readonly ("production" | "sandbox")[]) => {
    const { cert, key: certificateKey } = await makePushCertificate("com.example.demo", environments);
    writeFileSync(join(folder, "push.pem"), cert);
    writeFileSync(join(folder, "push-key.pem"), certificateKey);
    return `
  - { name: demo, topic: com.example.demo, environment: sandbox, resolveEnvironment: true,
      credentials: { certificate: { certFile: push.pem, keyFile: push-key.pem } } }
`;
  };
  expect(problemsOf(`apps: ${await of(["sandbox"])}`)).toEqual([
    expect.stringMatching(/apps\[0\]\.resolveEnvironment: The app's certificate is for sandbox only/),
  ]);
  const both = await of(["sandbox", "production"]);
  expect(configOf(`apps: ${both}`).apps[0]?.resolveEnvironment).toBe(true);
});

test("reads how long verdicts on device tokens are kept", () => {
  const variables = { CARILLON_FEEDBACK_KEEP_HOURS: "48" };
  expect(configOf(`feedback: { keepHours: 24 }\napps: ${app}`).feedback).toEqual({ keepMs: 86_400_000 });
  expect(configOf(`apps: ${app}`, variables).feedback).toEqual({ keepMs: 172_800_000 });
  expect(configOf(`apps: ${app}`).feedback).toBeUndefined();
  expect(problemsOf(`feedback: { keepHours: 0 }\napps: ${app}`)).toHaveLength(1);
});

test("reads what an app wants with device tokens that are gone, from the file and the environment", () => {
  const denying = app.replace("topic:", "goneTokens: deny\n    topic:");
  expect(configOf(`apps: ${denying}`).apps[0]?.goneTokens).toBe("deny");
  const variable = "CARILLON_APPS_0_GONE_TOKENS";
  expect(configOf(`apps: ${denying}`, { [variable]: "send" }).apps[0]?.goneTokens).toBe("send");
  expect(configOf(`apps: ${app}`).apps[0]?.goneTokens).toBeUndefined();
  expect(problemsOf(`apps: ${denying.replace("deny", "drop")}`)).toEqual([
    expect.stringMatching(/apps\[0\]\.goneTokens: This must be "send" or "deny"/),
  ]);
});

test("without a file everything can come from the environment, the key's text too", () => {
  const config = configOf(undefined, {
    CARILLON_APPS_0_NAME: "demo",
    CARILLON_APPS_0_TOPIC: "com.example.demo",
    CARILLON_APPS_0_ENVIRONMENT: "production",
    CARILLON_APPS_0_CREDENTIALS_TOKEN_KEY: key.replaceAll("\n", "\\n"),
    CARILLON_APPS_0_CREDENTIALS_TOKEN_KEY_ID: "ABC123DEFG",
    CARILLON_APPS_0_CREDENTIALS_TOKEN_TEAM_ID: "DEF123GHIJ",
  });
  expect(config.apps[0]?.credentials).toMatchObject({ kind: "token", key });
});

test("a client certificate is read with its key, and one that has expired is warned about", async () => {
  const { cert, key: certKey } = await makeServerCertificate(["demo"], -0.5);
  writeFileSync(join(folder, "cert.pem"), cert);
  writeFileSync(join(folder, "cert.key"), certKey);
  const loaded = load(
    `apps:\n  - { name: demo, topic: t, environment: sandbox, credentials: { certificate: { certFile: cert.pem, keyFile: cert.key } } }`,
  );
  expect(loaded).toMatchObject({
    kind: "loaded",
    config: { apps: [{ credentials: { kind: "certificate" } }] },
  });
  expect(loaded.kind === "loaded" && loaded.warnings).toEqual([
    {
      kind: "expired",
      detail: expect.stringMatching(/^App "demo": its certificate expired on \d{4}-\d{2}-\d{2}/),
    },
  ]);
});

test("all problems are told at once, each with its line, its path and what to do", () => {
  writeFileSync(join(folder, "broken.p8"), "no key");
  const problems = problemsOf(
    `listen: { prot: 8080, port: 70000 }
apps:
  - name: Demo App
    topic: com.example.demo
    environment: staging
    credentials: { token: { keyFile: missing.p8, keyId: ABC123DEFG, teamId: DEF123GHIJ } }
  - name: second
    topic: com.example.second
    environment: sandbox
    endpoint: http://localhost
    ca: key.p8
    credentials: { token: { keyFile: broken.p8, keyId: ABC123DEFG, teamId: DEF123GHIJ } }
  - name: second
    topic: com.example.third
    environment: sandbox
    credentials: {}
`,
    { CARILLON_LISTEN_HSOT: "x", CARILLON_LOG_LEVEL: "loud" },
  ).join("\n");
  for (const expected of [
    /^CARILLON_LISTEN_HSOT : .*CARILLON_LISTEN_HOST/m,
    /^CARILLON_LOG_LEVEL log\.level: This must be "fatal"/m,
    /^carillon\.yaml:1 listen\.prot: .*Did you mean "port"/m,
    /^carillon\.yaml:1 listen\.port: 70000 is out of range/m,
    /^carillon\.yaml:3 apps\[0\]\.name: .*lower-case/m,
    /^carillon\.yaml:5 apps\[0\]\.environment: This must be "production" or "sandbox"/m,
    /^carillon\.yaml:6 apps\[0\]\.credentials\.token\.keyFile: There is no such file/m,
    /^carillon\.yaml:10 apps\[1\]\.endpoint: This must be https/m,
    /^carillon\.yaml:11 apps\[1\]\.ca: This file holds no certificate/m,
    /^carillon\.yaml:12 apps\[1\]\.credentials\.token: /m,
    /^carillon\.yaml:13 apps\[2\]\.name: apps\[1\] has this name already/m,
    /^carillon\.yaml:16 apps\[2\]\.credentials: This must name one of token, certificate or pkcs12/m,
  ])
    expect(problems).toMatch(expected);
  expect(problems).not.toMatch("no key\n");
});

test("a secret in the file is refused without being repeated, and the cure is named", () => {
  const problems = problemsOf(`apps:
  - name: demo
    topic: t
    environment: sandbox
    credentials: { pkcs12: { file: a.p12, passphrase: tops3cret } }
`);
  expect(problems).toContainEqual(
    expect.stringMatching(
      /^carillon\.yaml:5 apps\[0\]\.credentials\.pkcs12\.passphrase: .*passphraseFile, or set CARILLON_APPS_0_CREDENTIALS_PKCS12_PASSPHRASE\.$/,
    ),
  );
  expect(problems.join()).not.toMatch("tops3cret");
});

test("a .p12 file of an old kind is converted, with a warning; a modern one stays as it is", () => {
  const yaml = (file: string): string => `apps:
  - name: demo
    topic: com.example.demo
    environment: sandbox
    credentials: { pkcs12: { file: ${file} } }
`;
  writeFileSync(join(folder, "old.p12"), oldRsaPkcs12File);
  writeFileSync(join(folder, "new.p12"), pkcs12File);
  const variable = "CARILLON_APPS_0_CREDENTIALS_PKCS12_PASSPHRASE";
  const old = load(yaml("old.p12"), { [variable]: oldPkcs12Passphrase });
  expect(old).toMatchObject({
    kind: "loaded",
    config: { apps: [{ credentials: { kind: "certificate" } }] },
    warnings: [
      { detail: expect.stringMatching(/^App "demo": old\.p12 is of an old kind, .* works all the same/) },
    ],
  });
  const modern = load(yaml("new.p12"), { [variable]: pkcs12Passphrase });
  expect(modern).toMatchObject({
    kind: "loaded",
    config: { apps: [{ credentials: { kind: "pkcs12" } }] },
    warnings: [],
  });
  for (const file of ["old.p12", "new.p12"])
    expect(problemsOf(yaml(file), { [variable]: "melon" })).toEqual([
      expect.stringMatching(/apps\[0\]\.credentials\.pkcs12: The passphrase does not open/),
    ]);
});

test.each([
  ["text that is no YAML", "apps: [", /carillon\.yaml:\d+ : This is not valid YAML/],
  ["a list", "- a", /must be an object, not a list/],
  ["nothing", "", /apps: This is missing. List the apps/],
  ["no apps", "apps: []", /apps: This needs at least one entry/],
  ["a key that stands twice", `data: a\ndata: b\napps: ${app}`, /carillon\.yaml:2 : This is not valid YAML/],
  [
    "aliases that multiply",
    `a: &a [1,1]\nb: &b [*a,*a]\nc: &c ${"[*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]"}\nd: [${"*c,".repeat(30)}*c]`,
    /alias/i,
  ],
])("refuses %s", (_name, yaml, problem) => {
  expect(problemsOf(yaml).join("\n")).toMatch(problem);
});

test("a file that is not there is named", () => {
  expect(loadConfig({ file: "nope.yaml", environment: {}, folder })).toEqual({
    kind: "invalid",
    problems: [
      { where: "nope.yaml", path: "", detail: "There is no such file. Create it or correct the path." },
    ],
  });
});

test("a data folder that cannot be one is told before anything starts", () => {
  writeFileSync(join(folder, "file"), "");
  expect(problemsOf(`data: file/deep\napps: ${app}`).join()).toMatch(
    /data: .*file is a file\. Name a folder/,
  );
  symlinkSync("nowhere", join(folder, "link"));
  expect(() => problemsOf(`data: link\napps: ${app}`)).not.toThrow();
});

test("variables that leave a gap in the list of apps are told", () => {
  expect(problemsOf(`apps: ${app}`, { CARILLON_APPS_5_NAME: "x" }).join()).toMatch(
    /^CARILLON_APPS_5_NAME apps\[5\]\.name: .*without gaps/,
  );
});

test("the key that seals secrets comes from a file or the environment, never from the configuration", () => {
  const key = Buffer.alloc(32, 7);
  const text = key.toString("base64");
  writeFileSync(join(folder, "sealing.key"), `${text}\n`);
  const named = `webhooks: { sealingKeyFile: sealing.key }\napps: ${app}`;
  const variables = { CARILLON_WEBHOOKS_SEALING_KEY: text };
  const config = configOf(named);
  expect([config.sealingKey, config.webhooks]).toEqual([key, {}]);
  expect(configOf(`apps: ${app}`, variables).sealingKey).toEqual(key);
  expect(configOf(`apps: ${app}`).sealingKey).toBeUndefined();
  expect(problemsOf(named, variables)).toEqual([
    expect.stringMatching(/sealingKey: The file and the environment both give the sealing key/),
  ]);
  expect(problemsOf(`webhooks: { sealingKey: ${text} }\napps: ${app}`)).toEqual([
    expect.stringMatching(/A secret may not stand in this file.*sealingKeyFile/),
  ]);
  const short = problemsOf(`apps: ${app}`, { CARILLON_WEBHOOKS_SEALING_KEY: "c2hvcnQ=" });
  expect(short).toEqual([expect.stringMatching(/This is no key.*openssl rand/)]);
  expect(short.join()).not.toContain("c2hvcnQ");
  expect(problemsOf(`webhooks: { sealingKeyFile: none }\napps: ${app}`)).toHaveLength(1);
});

test("where webhooks may go is read from the file and the environment", async () => {
  const { ca } = await makeServerCertificate();
  writeFileSync(join(folder, "inner.pem"), ca);
  const webhooks = `webhooks: { allowHttp: true, allowPorts: [8443], allowNetworks: [10.0.0.0/8, "fd00::/8"], ca: inner.pem }`;
  expect(configOf(`${webhooks}\napps: ${app}`).webhooks).toEqual({
    allowHttp: true,
    allowPorts: [8443],
    allowNetworks: ["10.0.0.0/8", "fd00::/8"],
    ca,
  });
  const variables = {
    CARILLON_WEBHOOKS_ALLOW_HTTP: "true",
    CARILLON_WEBHOOKS_ALLOW_PORTS_0: "8080",
    CARILLON_WEBHOOKS_ALLOW_NETWORKS_0: "127.0.0.1/32",
  };
  expect(configOf(`apps: ${app}`, variables).webhooks).toEqual({
    allowHttp: true,
    allowPorts: [8080],
    allowNetworks: ["127.0.0.1/32"],
  });
});

test.each([
  "10.0.0.0",
  "10.0.0.0/33",
  "fd00::/129",
  "localhost/8",
  "10.0.0.0/8/8",
  "fe80::1%eth0/10",
  "10.0.0.0/a",
])("the network %s for webhooks is refused, with the form that it needs", (network) => {
  expect(problemsOf(`webhooks: { allowNetworks: ["${network}"] }\napps: ${app}`)).toEqual([
    expect.stringMatching(/^carillon\.yaml:1 webhooks\.allowNetworks\[0\]: This is no network\. Write it as/),
  ]);
});

test("how long notifications and events are kept is said in hours, in the file or in the environment", () => {
  const yaml = `retention: { payloadHours: 2 }\nevents: { keepHours: 3, keepMegabytes: 4 }\napps: ${app}`;
  expect(configOf(yaml, { CARILLON_RETENTION_OUTCOME_HOURS: "48" })).toMatchObject({
    retention: { bodiesMs: 7_200_000, recordsMs: 172_800_000 },
    events: { keepMs: 10_800_000, keepBytes: 4_194_304 },
  });
  expect(problemsOf(`retention: { payloadHours: 0, outcomeDays: 7 }\napps: ${app}`)).toHaveLength(2);
});
