import { X509Certificate } from "node:crypto";
import {
  type CertificateCredentials,
  type Pkcs12Credentials,
  type PushCertificate,
  readPushCertificate,
  systemClock,
} from "@carillon/apns";
import { openCredentials } from "@carillon/apns/credentials";
import type { App } from "../apps/index.ts";
import { identifySender } from "../bridge/index.ts";
import type { AppConfig, BinaryConfig, Config } from "../config/index.ts";
import { readCertificates } from "./chain.ts";
import { rootToTrust } from "./check-bridge.ts";
import { describePushCertificate, hostNamesOf, nameOf } from "./describe-certificate.ts";
import { type Finding, type Say, sayAbout } from "./finding.ts";
import { presentToDoor, presentWithoutKey } from "./present.ts";

/** A sender's client certificate, with its key or without. */
export type SenderCertificate =
  | { readonly kind: "with-key"; readonly credentials: CertificateCredentials | Pkcs12Credentials }
  /** PEM, the sender's own first. */
  | { readonly kind: "alone"; readonly pem: string };

/** What a sender's certificate says, and, where the configuration is known, who it is at the bridge and what it must change. */
export async function checkSender(
  sender: SenderCertificate,
  config: Config | undefined,
  nowMs: number,
): Promise<readonly Finding[]> {
  const say = sayAbout("sender");
  const raw = derOf(sender);
  const certificate = raw && readPushCertificate(raw);
  if (raw === undefined || certificate === undefined)
    return [say.problem("its certificate cannot be read", "Export it anew, with its key.")];
  const issuer = nameOf(new X509Certificate(raw).issuer);
  const described = say.ok(describePushCertificate(certificate, issuer, nowMs));
  if (config === undefined) return [described];
  const { binary, apps } = config;
  if (binary === undefined)
    return [described, say.problem("the configuration has no bridge for it", "Add the section binary.")];
  try {
    const presented =
      sender.kind === "alone"
        ? presentWithoutKey(binary, readCertificates(sender.pem), nowMs)
        : await presentToDoor(binary, sender.credentials);
    const identity = identifySender(asApps(apps), presented);
    if (identity.kind === "unknown")
      return [described, say.problem(`refused: ${identity.detail}`, sentence(identity.remedy))];
    const { app, topic = app.config.topic } = identity;
    return [
      described,
      ...describePlace(say, app.config, topic, certificate),
      ...whatToChange(say, binary, certificate, nowMs),
    ];
  } catch (error) {
    return [described, say.problem(`its handshake fails: ${(error as Error).message}`, handshakeRemedy)];
  }
}

/** Which app an app's own certificate stands for, where a sender shows it. */
export async function checkOwnCertificate(
  { name, credentials }: AppConfig,
  { binary, apps }: Config,
): Promise<readonly Finding[]> {
  if (binary === undefined || credentials.kind === "token") return [];
  const say = sayAbout(`app ${name}`);
  const presented = await presentToDoor(binary, credentials).catch(() => undefined);
  const identity = identifySender(asApps(apps), presented);
  if (identity.kind === "unknown")
    return [
      say.warning(
        `a sender with the app's own certificate is refused: ${identity.detail}`,
        sentence(identity.remedy),
      ),
    ];
  return [say.ok(`a sender with the app's own certificate is ${identity.app.config.name}`)];
}

const handshakeRemedy =
  "An old certificate may be too weak for today's TLS: set binary.minTls to TLSv1, or renew it.";

function derOf(sender: SenderCertificate): Buffer | undefined {
  return sender.kind === "alone"
    ? readCertificates(sender.pem)[0]?.raw
    : openCredentials(sender.credentials, systemClock).der;
}

function describePlace(
  say: Say,
  { name, environment }: AppConfig,
  topic: string,
  { environments }: PushCertificate,
): readonly Finding[] {
  const place = say.ok(`is taken for the app ${name}: topic ${topic}, ${environment}`);
  if (environments.length === 0 || environments.includes(environment)) return [place];
  return [
    place,
    say.warning(
      `its certificate is for ${environments.join()}, and the app sends to ${environment}`,
      "Device tokens belong to one environment: add an app for the other one, or correct the app's environment.",
    ),
  ];
}

/** What has to be set anew in the sender: the place and, where nobody knows it, the authority. */
function whatToChange(
  say: Say,
  binary: BinaryConfig,
  { environments }: PushCertificate,
  nowMs: number,
): readonly Finding[] {
  const [leaf] = readCertificates(binary.cert);
  const names = leaf === undefined ? [] : hostNamesOf(leaf);
  const host = names[0] ?? binary.host;
  const retired = environments.join() === "sandbox" ? "sandbox.push.apple.com" : "push.apple.com";
  const root = rootToTrust(binary, nowMs);
  return [
    say.ok(`change in it: gateway.${retired}:2195 becomes ${host}:${binary.port}`),
    say.ok(`change in it: feedback.${retired}:2196 becomes ${host}:${binary.feedbackPort}`),
    root === undefined
      ? say.ok("its CA may stay: systems trust the bridge's certificate")
      : say.ok(`change in it, if it checks servers: its CA becomes the certificate of ${root}`),
    ...(binary.minTls === "TLSv1.2" || binary.minTls === "TLSv1.3"
      ? [say.ok(`it must speak ${binary.minTls}; if it cannot, set binary.minTls to TLSv1`)]
      : []),
  ];
}

function asApps(apps: readonly AppConfig[]): readonly App[] {
  return apps.map((config) => ({ config, environments: [config.environment] }));
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
