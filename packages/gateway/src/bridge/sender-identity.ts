import { pushTypes, readPushCertificate } from "@carillon/apns";
import type { App } from "../apps/index.ts";

/** For whom a client certificate stands, or why for nobody, in words for people. */
export type SenderIdentity =
  | {
      readonly kind: "known";
      readonly app: App;
      /** The topic that the certificate is for, where it is one of a push type of its own, such as `….voip`. */
      readonly topic?: string;
    }
  | { readonly kind: "unknown"; readonly detail: string /** What to do. */; readonly remedy: string };

/** What TLS told about a client certificate. */
export interface PresentedCertificate {
  /** DER. */
  readonly raw: Buffer;
  /** SHA-256, 64 capital hex digits. */
  readonly fingerprint: string;
  /** Undefined where it is valid now and leads to `clientCa`; otherwise what TLS says is wrong. */
  readonly fault: string | undefined;
}

const suffixes = [...new Set(Object.values(pushTypes).map(({ topicSuffix }) => topicSuffix))].filter(
  (suffix) => suffix !== "",
);

/**
 * Finds the app of a client certificate: the one that pins its fingerprint, whoever signed it and however old it is; or else, of a
 * certificate that is trusted, the one whose topic is the subject's UID.
 */
export function identifySender(
  apps: Iterable<App>,
  certificate: PresentedCertificate | undefined,
): SenderIdentity {
  if (certificate === undefined)
    return unknown(
      "it presents no client certificate",
      "give the sender the certificate that it pushes with",
    );
  const all = [...apps];
  const { raw, fingerprint, fault } = certificate;
  const read = readPushCertificate(raw);
  const uid = read?.mainTopic;
  const pinned = all.find(({ config }) => config.fingerprints?.includes(fingerprint));
  if (pinned !== undefined) return known(pinned, uid);
  const pin = `, or pin it to an app: binary.fingerprints: ["${fingerprint}"]`;
  if (fault !== undefined)
    return unknown(
      `its certificate (UID ${uid ?? "none"}) is not trusted: ${fault}`,
      `add its authority to binary.clientCa${pin}`,
    );
  if (uid === undefined)
    return unknown("its certificate has no UID in its subject", `use a push certificate${pin}`);
  const candidates = all.filter(({ config }) => config.topic === uid || isUnder(config.topic, uid));
  const exact = candidates.filter(({ config }) => config.topic === uid);
  const fitting = exact.length > 0 ? exact : candidates;
  const inEnvironment = fitting.filter(({ config }) => read?.environments.includes(config.environment));
  const [app, another] = inEnvironment.length > 0 ? inEnvironment : fitting;
  if (app === undefined)
    return unknown(`its certificate is for ${uid}, and no app has this topic`, `add one${pin}`);
  if (another !== undefined)
    return unknown(
      `its certificate is for ${uid}, which is the topic of "${app.config.name}" and "${another.config.name}"`,
      `pin it to one of them, binary.fingerprints: ["${fingerprint}"]`,
    );
  return known(app, uid);
}

/** Whether it is a topic of the app with a push type's suffix. */
function isUnder(topic: string, uid: string): boolean {
  return suffixes.some((suffix) => uid === `${topic}${suffix}`);
}

function known(app: App, uid: string | undefined): SenderIdentity {
  const { topic } = app.config;
  return uid !== undefined && uid !== topic && isUnder(topic, uid)
    ? { kind: "known", app, topic: uid }
    : { kind: "known", app };
}

function unknown(detail: string, remedy: string): SenderIdentity {
  return { kind: "unknown", detail, remedy };
}
