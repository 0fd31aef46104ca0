import { X509Certificate } from "node:crypto";
import { systemClock } from "@carillon/apns";
import { findCertificateFaults, openCredentials } from "@carillon/apns/credentials";
import type { AppConfig } from "../config/index.ts";
import { describePushCertificate, nameOf } from "./describe-certificate.ts";
import { type Finding, sayAbout } from "./finding.ts";

/** What stands against an app's credentials. The loader has opened them: key and certificate fit together. */
export function checkCredentials(app: AppConfig, nowMs: number): readonly Finding[] {
  const { name, credentials, endpoint, environment, topic } = app;
  const say = sayAbout(`app ${name}`);
  if (credentials.kind === "token") {
    const { keyId, teamId } = credentials;
    return [say.ok(`signs in with the provider key ${keyId} of team ${teamId}: an EC key on P-256`)];
  }
  const { certificate, der } = openCredentials(credentials, systemClock);
  if (certificate === undefined || der === undefined)
    return [
      say.problem("its certificate cannot be read", "Export it anew from the developer account or keychain."),
    ];
  const { subject, issuer } = new X509Certificate(der);
  // Another server than Apple's stands for any environment.
  const meant = endpoint === undefined ? environment : undefined;
  const { faults, warnings } = findCertificateFaults(certificate, { environment: meant, topic, nowMs });
  const isSelfSigned = endpoint === undefined && subject === issuer;
  return [
    say.ok(describePushCertificate(certificate, nameOf(issuer), nowMs)),
    ...faults.map(({ what, remedy }) => say.problem(`its certificate ${what}`, sentence(remedy))),
    ...warnings.map(({ what, remedy }) => say.warning(`its certificate ${what}`, sentence(remedy))),
    ...(isSelfSigned
      ? [
          say.problem(
            "its certificate is signed by itself, not by Apple",
            "Use one from the developer account; for a simulator, name its address as the app's endpoint.",
          ),
        ]
      : []),
  ];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
