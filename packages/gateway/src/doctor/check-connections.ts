import { parseEndpoint, systemClock } from "@carillon/apns";
import { openCredentials } from "@carillon/apns/credentials";
import type { AppConfig } from "../config/index.ts";
import { describeEnd, nameOf } from "./describe-certificate.ts";
import { type Finding, sayAbout } from "./finding.ts";
import { type Probed, probe } from "./probe.ts";

/** Connections that are tried at the same time. */
const atOnce = 8;

/** Opens a connection to where each app sends, in the order of the apps, and tells what came. No push is sent. */
export async function* checkConnections(
  apps: readonly AppConfig[],
  deadlineMs: number,
  nowMs: number,
): AsyncGenerator<Finding> {
  for (let first = 0; first < apps.length; first += atOnce) {
    const some = apps.slice(first, first + atOnce);
    yield* await Promise.all(some.map((app) => checkConnection(app, deadlineMs, nowMs)));
  }
}

async function checkConnection(app: AppConfig, deadlineMs: number, nowMs: number): Promise<Finding> {
  const { name, environment, endpoint: address, credentials, ca } = app;
  const say = sayAbout(`app ${name}`);
  const parsed = parseEndpoint(address === undefined ? { environment } : { endpoint: address });
  if (parsed.kind === "refused") return say.problem(`its endpoint ${parsed.detail}`, "Correct it.");
  const { endpoint } = parsed;
  const { tls: identity } = openCredentials(credentials, systemClock);
  const probed = await probe({ endpoint, identity, ca, deadlineMs });
  const where = `${endpoint.host}:${endpoint.port}`;
  if (probed.kind === "failed")
    return say.unreachable(
      `${where} (${stageNames[probed.stage]}): ${probed.detail}`,
      remedyFor(probed, app),
    );
  const { tls, alpn, chain, validUntilMs, remoteAddress, streams, tookMs } = probed;
  const facts = [
    `${where} (${remoteAddress}) answers in ${tookMs} ms`,
    `${tls}, ${alpn === undefined ? "no ALPN" : `ALPN ${alpn}`}`,
    `certificate ${chain.map(nameOf).join(" < ")}, ${describeEnd(validUntilMs, nowMs)}`,
    `SETTINGS: ${streams ?? "any number of"} ${streams === 1 ? "stream" : "streams"} at once`,
  ];
  return say.ok(facts.join("; "));
}

const stageNames = { tcp: "no connection", tls: "TLS", http2: "HTTP/2" } as const;

function remedyFor(
  { stage, code = "" }: Extract<Probed, { kind: "failed" }>,
  { endpoint }: AppConfig,
): string {
  if (/CERT_NOT_YET_VALID|CERT_HAS_EXPIRED/.test(code))
    return "Look at this machine's clock, then at the server's certificate.";
  if (stage === "tls" && /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/.test(code))
    return endpoint === undefined
      ? "Something on the way ends TLS in Apple's place: let connections to push.apple.com through as they are."
      : "Name the server's authority with ca of the app, and the server by a name in its certificate.";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "Look at the name, and at this machine's DNS.";
  if (stage === "tcp")
    return endpoint === undefined
      ? "Let connections to port 443 of 17.0.0.0/8 through the firewall."
      : "Start the server, or correct endpoint of the app.";
  return "Look at the app's credentials: a server that does not take the certificate closes like this.";
}
