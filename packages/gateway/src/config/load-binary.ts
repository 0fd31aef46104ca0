import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { BinaryConfig, ConfigWarning } from "./config.ts";
import { explainReadError } from "./config-document.ts";
import type { WrittenApp, WrittenBinary, WrittenConfig } from "./config-schema.ts";

type Report = (path: readonly (string | number)[], detail: string) => void;

export interface LoadedBinary {
  readonly settings: Omit<BinaryConfig, "host"> & { readonly host?: string };
  readonly warnings: readonly ConfigWarning[];
}

/** Reads the section `binary` and the files that it names. Reports every problem; undefined where it is absent or has one. */
export function loadBinary(value: unknown, folder: string, report: Report): LoadedBinary | undefined {
  const { binary, apps } = (value ?? {}) as Partial<WrittenConfig>;
  if (typeof binary !== "object" || binary === null) return undefined;
  const written: Partial<WrittenBinary> = binary;
  const read = (name: "cert" | "key" | "clientCa"): string | undefined =>
    readPem(written[name], folder, name === "key" ? "key" : "certificate", (detail) =>
      report(["binary", name], detail),
    );
  const cert = read("cert");
  const key = read("key");
  const clientCa = read("clientCa");
  const { host, port = 2195, feedbackPort = 2196, mode = "queued", minTls = "TLSv1.2" } = written;
  if (port === feedbackPort && port !== 0)
    report(["binary", "feedbackPort"], `binary.port is ${port} too. Give feedback a port of its own.`);
  const hasPins = Array.isArray(apps) && apps.some((app: Partial<WrittenApp> | null) => app?.binary);
  if (written.clientCa === undefined && !hasPins)
    report(
      ["binary", "clientCa"],
      "Nobody could come in. Name the authority of the senders' certificates here, or list their fingerprints as apps[0].binary.fingerprints.",
    );
  if (Array.isArray(apps)) checkPins(apps, report);
  if (cert === undefined || key === undefined) return undefined;
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    report(
      ["binary", "key"],
      "This is the key of another certificate. Name the one that belongs to binary.cert.",
    );
    return undefined;
  }
  return {
    settings: {
      ...(host === undefined ? {} : { host }),
      ...{ port, feedbackPort, cert, key, mode, minTls },
      ...(clientCa === undefined ? {} : { clientCa }),
    },
    warnings: [...describeExpiry(cert), ...describeOldTls(minTls)],
  };
}

/** In the form in which TLS tells them, without colons. */
export function readFingerprints({ fingerprints }: NonNullable<WrittenApp["binary"]>): readonly string[] {
  if (!Array.isArray(fingerprints)) return []; // the schema has said what is wrong
  return fingerprints.map((each) => String(each).replaceAll(":", "").toUpperCase());
}

/** A certificate belongs to one app. */
function checkPins(apps: readonly (Partial<WrittenApp> | null)[], report: Report): void {
  const owners = new Map<string, number>();
  apps.forEach((app, index) => {
    if (typeof app?.binary !== "object" || app.binary === null) return;
    readFingerprints(app.binary).forEach((fingerprint, place) => {
      const owner = owners.get(fingerprint);
      if (owner === undefined) owners.set(fingerprint, index);
      else
        report(
          ["apps", index, "binary", "fingerprints", place],
          `apps[${owner}] has this certificate already. It can stand for one app only.`,
        );
    });
  });
}

function readPem(
  file: unknown,
  folder: string,
  kind: "certificate" | "key",
  report: (detail: string) => void,
): string | undefined {
  if (typeof file !== "string" || file === "") return undefined; // the schema says that it is missing
  let text: string;
  try {
    text = readFileSync(resolve(folder, file), "utf8");
  } catch (error) {
    report(explainReadError(error));
    return undefined;
  }
  try {
    if (kind === "key") createPrivateKey(text);
    else new X509Certificate(text);
    return text;
  } catch {
    report(
      kind === "key"
        ? "This file holds no private key in PEM form, or one with a passphrase. Write it out without: openssl pkey -in FILE -out NEW."
        : "This file holds no certificate in PEM form.",
    );
    return undefined;
  }
}

function describeExpiry(cert: string): readonly ConfigWarning[] {
  const validTo = new Date(new X509Certificate(cert).validTo);
  if (validTo.getTime() > Date.now()) return [];
  const detail = `binary.cert expired on ${validTo.toISOString().slice(0, 10)}: senders that check it will not connect`;
  return [{ kind: "expired", detail }];
}

function describeOldTls(minTls: BinaryConfig["minTls"]): readonly ConfigWarning[] {
  if (minTls === "TLSv1.2" || minTls === "TLSv1.3") return [];
  const detail = `binary.minTls is ${minTls}: its ciphers are broken; keep the ports of the bridge where only your own senders reach them`;
  return [{ kind: "old-tls", detail }];
}
