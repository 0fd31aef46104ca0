import { X509Certificate } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { isIP } from "node:net";
import { basename, dirname, resolve } from "node:path";
import { type Credentials, certificateOf } from "@carillon/apns";
import { Compile } from "typebox/compile";
import type { AppConfig, Config, ConfigProblem, ConfigWarning, WebhooksConfig } from "./config.ts";
import { type ConfigDocument, explainReadError, readConfigDocument } from "./config-document.ts";
import { configSchema, credentialsSchema, type WrittenApp, type WrittenConfig } from "./config-schema.ts";
import { type Environment, type EnvironmentSetting, readEnvironment, variableOf } from "./environment.ts";
import { loadBinary, readFingerprints } from "./load-binary.ts";
import { describeConversion, describeExpiry, loadCredentials } from "./load-credentials.ts";
import { findSchemaProblems } from "./schema-problems.ts";

type Path = readonly (string | number)[];

export type LoadedConfig =
  | { readonly kind: "loaded"; readonly config: Config; readonly warnings: readonly ConfigWarning[] }
  | { readonly kind: "invalid"; readonly problems: readonly ConfigProblem[] };

export interface ConfigSource {
  /** The YAML file. Without one everything comes from the environment. */
  readonly file?: string | undefined;
  readonly environment: Environment;
  /** What paths are relative to when there is no file. */
  readonly folder: string;
}

/**
 * Reads the configuration, from a file and the environment, which wins. Opens nothing but the files that are named in it.
 * All problems are told together. Relative paths mean the folder of the file.
 */
export function loadConfig(source: ConfigSource): LoadedConfig {
  const file = source.file === undefined ? undefined : resolve(source.folder, source.file);
  const document = file === undefined ? emptyDocument : readConfigDocument(file, basename(file));
  if (document.problems.length > 0) return { kind: "invalid", problems: document.problems };
  const folder = file === undefined ? source.folder : dirname(file);
  const reader = new ConfigReader(document, readEnvironment(source.environment), folder);
  const config = reader.read();
  return reader.problems.length > 0 || config === undefined
    ? { kind: "invalid", problems: reader.problems }
    : { kind: "loaded", config, warnings: reader.warnings };
}

const emptyDocument: ConfigDocument = { value: {}, problems: [], locate: () => "environment" };
const isConfig = Compile(configSchema);
const isCredentials = Compile(credentialsSchema);

class ConfigReader {
  readonly problems: ConfigProblem[] = [];
  readonly warnings: ConfigWarning[];
  readonly #document: ConfigDocument;
  readonly #settings: readonly EnvironmentSetting[];
  readonly #folder: string;

  constructor(document: ConfigDocument, environment: ReturnType<typeof readEnvironment>, folder: string) {
    this.#document = document;
    this.#settings = environment.settings;
    this.#folder = folder;
    this.warnings = environment.warnings.map((detail) => ({ kind: "unknown-variable", detail }));
    for (const { variable, detail } of environment.unknown) {
      this.problems.push({ where: variable, path: "", detail });
    }
  }

  read(): Config | undefined {
    this.#refuseSecrets(configSchema as SecretNode, this.#document.value, []);
    const value = this.#overlay(this.#document.value);
    for (const { path, detail } of findSchemaProblems(configSchema, value)) this.#refuse(path, detail);
    // The files that are named are looked at even where the rest has mistakes: one run tells them all.
    const apps = this.#readApps(value);
    const webhooks = this.#readWebhooks(value);
    const sealingKey = this.#readSealingKey(value);
    const data = stringAt(value, "data") ?? "./carillon-data";
    const dataDir = resolve(this.#folder, data);
    this.#checkDataDir(dataDir);
    this.#checkLimits((value as Partial<WrittenConfig> | undefined)?.limits);
    const binary = loadBinary(value, this.#folder, (path, detail) => this.#refuse(path, detail));
    if (this.problems.length > 0 || !isConfig.Check(value)) return undefined;
    const { log, limits, retention, events, feedback } = value;
    const listen = { host: value.listen?.host ?? "127.0.0.1", port: value.listen?.port ?? 8080 };
    this.warnings.push(...(binary?.warnings ?? []));
    return {
      listen,
      dataDir,
      logLevel: log?.level ?? "info",
      ...(limits === undefined ? {} : { limits }),
      ...(retention === undefined ? {} : { retention: readRetention(retention) }),
      ...(events === undefined ? {} : { events: readEvents(events) }),
      ...(feedback?.keepHours === undefined ? {} : { feedback: { keepMs: feedback.keepHours * hourMs } }),
      ...(webhooks === undefined ? {} : { webhooks }),
      ...(sealingKey === undefined ? {} : { sealingKey }),
      ...(binary === undefined ? {} : { binary: { host: listen.host, ...binary.settings } }),
      apps,
    };
  }

  #readWebhooks(value: unknown): WebhooksConfig | undefined {
    const webhooks = (value as Partial<WrittenConfig> | undefined)?.webhooks;
    if (typeof webhooks !== "object" || webhooks === null) return undefined;
    const { ca: file, sealingKey: _key, sealingKeyFile: _file, ...rest } = webhooks;
    const networks: unknown = rest.allowNetworks;
    if (Array.isArray(networks))
      networks.forEach((network: unknown, index) => {
        if (typeof network === "string" && !isNetwork(network))
          this.#refuse(
            ["webhooks", "allowNetworks", index],
            "This is no network. Write it as 10.0.0.0/8 or fd00::/8, a single address as 10.1.2.3/32.",
          );
      });
    const ca = typeof file === "string" ? this.#readTrustAnchors(["webhooks", "ca"], file) : undefined;
    return { ...rest, ...(ca === undefined ? {} : { ca }) };
  }

  #readSealingKey(value: unknown): Uint8Array | undefined {
    const webhooks = (value as Partial<WrittenConfig> | undefined)?.webhooks;
    if (typeof webhooks !== "object" || webhooks === null) return undefined;
    const { sealingKey, sealingKeyFile } = webhooks;
    const path: Path = ["webhooks", sealingKey === undefined ? "sealingKeyFile" : "sealingKey"];
    if (sealingKey !== undefined && sealingKeyFile !== undefined) {
      this.#refuse(path, "The file and the environment both give the sealing key. Leave one of them out.");
      return undefined;
    }
    let text: unknown = sealingKey;
    try {
      if (typeof sealingKeyFile === "string")
        text = readFileSync(resolve(this.#folder, sealingKeyFile), "utf8");
    } catch (error) {
      this.#refuse(path, explainReadError(error));
      return undefined;
    }
    if (typeof text !== "string") return undefined;
    const key = Buffer.from(text.trim(), "base64");
    if (key.length === 32) return key;
    this.#refuse(
      path,
      "This is no key: it must be 32 bytes in base64, as openssl rand -base64 32 prints them.",
    );
    return undefined;
  }

  #readApps(value: unknown): AppConfig[] {
    const apps = (value as Partial<WrittenConfig> | undefined)?.apps;
    if (!Array.isArray(apps)) return [];
    const firstByName = new Map<string, number>();
    return apps.flatMap((app: Partial<WrittenApp> | null, index): AppConfig[] => {
      if (typeof app !== "object" || app === null) return [];
      if (typeof app.name === "string") {
        const first = firstByName.get(app.name);
        if (first !== undefined) {
          this.#refuse(
            ["apps", index, "name"],
            `apps[${first}] has this name already. Give each app its own.`,
          );
        } else firstByName.set(app.name, index);
      }
      return this.#readApp(app, index);
    });
  }

  #readApp(app: Partial<WrittenApp>, index: number): AppConfig[] {
    const { name, topic, environment, endpoint, rateLimit, goneTokens, massRemoval, binary } = app;
    const { resolveEnvironment } = app;
    const at: Path = ["apps", index];
    if (typeof endpoint === "string") this.#checkEndpoint([...at, "endpoint"], endpoint);
    const ca = typeof app.ca === "string" ? this.#readTrustAnchors([...at, "ca"], app.ca) : undefined;
    const written = isCredentials.Check(app.credentials) ? app.credentials : undefined;
    const credentials =
      written &&
      loadCredentials(written, this.#folder, (path, detail) =>
        this.#refuse([...at, "credentials", ...path], detail),
      );
    if (
      written === undefined ||
      credentials === undefined ||
      name === undefined ||
      topic === undefined ||
      environment === undefined
    ) {
      return [];
    }
    if (resolveEnvironment === true)
      this.#checkResolving([...at, "resolveEnvironment"], endpoint, credentials);
    const found = {
      "old-pkcs12": describeConversion(written, credentials),
      expired: describeExpiry(credentials, Date.now()),
    } as const;
    for (const kind of ["old-pkcs12", "expired"] as const)
      if (found[kind] !== undefined) this.warnings.push({ kind, detail: `App "${name}": ${found[kind]}.` });
    return [
      {
        name,
        topic,
        environment,
        credentials,
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(ca === undefined ? {} : { ca }),
        ...(rateLimit === undefined ? {} : { rateLimit }),
        ...(binary === undefined ? {} : { fingerprints: readFingerprints(binary) }),
        ...(resolveEnvironment === undefined ? {} : { resolveEnvironment }),
        ...(goneTokens === undefined ? {} : { goneTokens }),
        ...(massRemoval === undefined ? {} : { massRemoval }),
      },
    ];
  }

  /** There must be another environment to try. */
  #checkResolving(path: Path, endpoint: string | undefined, credentials: Credentials): void {
    if (endpoint !== undefined) {
      this.#refuse(path, "An endpoint of its own is the app's only environment. Leave one of the two out.");
      return;
    }
    const { environments = [] } = certificateOf(credentials) ?? {};
    if (environments.length === 1)
      this.#refuse(
        path,
        `The app's certificate is for ${environments[0]} only. Use one for both environments or a provider token, or leave this out.`,
      );
  }

  #checkEndpoint(path: Path, endpoint: string): void {
    const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
    const bare =
      url?.protocol === "https:" && url.pathname === "/" && url.search === "" && url.username === "";
    if (!bare) this.#refuse(path, "This must be https://host or https://host:port, and nothing more.");
  }

  #readTrustAnchors(path: Path, file: string): string | undefined {
    let text: string;
    try {
      text = readFileSync(resolve(this.#folder, file), "utf8");
    } catch (error) {
      this.#refuse(path, explainReadError(error));
      return undefined;
    }
    try {
      new X509Certificate(text);
      return text;
    } catch {
      this.#refuse(path, "This file holds no certificate in PEM form.");
      return undefined;
    }
  }

  /** The folder itself is made by the store; here only whether that can work. */
  #checkDataDir(dataDir: string): void {
    let existing = dataDir;
    while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
    if (!statSync(existing).isDirectory()) {
      this.#refuse(["data"], `${existing} is a file. Name a folder.`);
      return;
    }
    try {
      accessSync(existing, constants.W_OK | constants.X_OK);
    } catch {
      this.#refuse(
        ["data"],
        `This process may not write to ${existing}. Give its user the right to, or name another folder.`,
      );
    }
  }

  /** What one app may have must fit into what all may have. */
  #checkLimits(limits: WrittenConfig["limits"]): void {
    const pairs = [
      ["maxQueuedPerApp", "maxQueued", 10_000_000],
      ["maxQueuedBytesPerApp", "maxQueuedBytes", 10_240 * 1024 * 1024],
    ] as const;
    for (const [one, all, byDefault] of pairs) {
      const most = limits?.[all] ?? byDefault;
      if ((limits?.[one] ?? 0) > most)
        this.#refuse(
          ["limits", one],
          `This is more than all apps together may have (limits.${all}: ${most}).`,
        );
    }
  }

  /** Secrets stand in files of their own or in the environment, so that the configuration can be shown to anyone. */
  #refuseSecrets(node: SecretNode, value: unknown, path: Path): void {
    if (Array.isArray(value)) {
      const { items } = node;
      if (items !== undefined)
        value.forEach((each, index) => void this.#refuseSecrets(items, each, [...path, index]));
      return;
    }
    if (typeof value !== "object" || value === null) return;
    for (const [key, each] of Object.entries(value)) {
      const property = Object.hasOwn(node.properties ?? {}, key) ? node.properties?.[key] : undefined;
      if (property === undefined) continue;
      const here = [...path, key];
      if (property.environmentOnly === true) {
        this.#refuse(
          here,
          `A secret may not stand in this file. Put it into a file of its own and name that as ${key}File, or set ${variableOf(here)}.`,
        );
      } else this.#refuseSecrets(property, each, here);
    }
  }

  /** The document with the environment's settings put over it. */
  #overlay(value: unknown): unknown {
    if (this.#settings.length === 0) return value;
    const root: unknown = structuredClone(value);
    for (const { variable, path, value: given } of this.#settings) {
      if (!put(root, path, given)) {
        this.problems.push({
          where: variable,
          path: spell(path),
          detail: "This reaches beyond what the lists before it hold. Number apps from 0 without gaps.",
        });
      }
    }
    return root;
  }

  #refuse(path: Path, detail: string): void {
    const spelled = spell(path);
    const set = this.#settings.find((each) => spell(each.path) === spelled);
    this.problems.push({ where: set?.variable ?? this.#document.locate(path), path: spelled, detail });
  }
}

const hourMs = 3_600_000;

function readRetention({
  payloadHours,
  outcomeHours,
}: NonNullable<WrittenConfig["retention"]>): Config["retention"] & {} {
  return {
    ...(payloadHours === undefined ? {} : { bodiesMs: payloadHours * hourMs }),
    ...(outcomeHours === undefined ? {} : { recordsMs: outcomeHours * hourMs }),
  };
}

function readEvents({
  keepHours,
  keepMegabytes,
}: NonNullable<WrittenConfig["events"]>): Config["events"] & {} {
  return {
    ...(keepHours === undefined ? {} : { keepMs: keepHours * hourMs }),
    ...(keepMegabytes === undefined ? {} : { keepBytes: keepMegabytes * 1024 * 1024 }),
  };
}

function isNetwork(text: string): boolean {
  const [address = "", length = "", ...more] = text.split("/");
  const family = isIP(address);
  const bits = family === 4 ? 32 : 128;
  return (
    family !== 0 &&
    !address.includes("%") &&
    /^\d{1,3}$/.test(length) &&
    Number(length) <= bits &&
    more.length === 0
  );
}

interface SecretNode {
  readonly properties?: Readonly<Record<string, SecretNode>>;
  readonly items?: SecretNode;
  readonly environmentOnly?: boolean;
}

/** Sets a value deep in plain data, making objects and lists on the way; false where a list would get a gap. */
function put(root: unknown, path: Path, value: unknown): boolean {
  let at = root;
  for (const [depth, step] of path.entries()) {
    if (typeof at !== "object" || at === null) return true; // the schema tells what is wrong with it
    if (typeof step === "number" && (!Array.isArray(at) || step > at.length)) return false;
    const container = at as Record<string | number, unknown>;
    if (depth === path.length - 1) container[step] = value;
    else container[step] ??= typeof path[depth + 1] === "number" ? [] : {};
    at = container[step];
  }
  return true;
}

function stringAt(value: unknown, key: string): string | undefined {
  const found =
    typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  return typeof found === "string" && found !== "" ? found : undefined;
}

/** `apps[0].credentials.token.keyId` */
function spell(path: Path): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .replace(/^\./, "");
}
