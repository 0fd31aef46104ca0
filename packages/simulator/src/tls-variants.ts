import {
  issueAuthority,
  issueServerCertificate,
  type SimulatorCredentials,
  serverNames,
} from "./credentials/index.ts";
import type { TlsVariant } from "./scenario/index.ts";
import type { TlsIdentity } from "./wire/index.ts";

const dayMs = 86_400_000;

/** TLS identities in which something is wrong, each made when it is first asked for. */
export class TlsVariants {
  private readonly credentials: SimulatorCredentials;
  private readonly made = new Map<TlsVariant, TlsIdentity>();

  constructor(credentials: SimulatorCredentials) {
    this.credentials = credentials;
  }

  find(variant: TlsVariant): TlsIdentity {
    const made = this.made.get(variant) ?? this.make(variant);
    this.made.set(variant, made);
    return made;
  }

  private make(variant: TlsVariant): TlsIdentity {
    const { authority, server } = this.credentials;
    const nowMs = Date.now();
    switch (variant) {
      case "expired":
        return issueServerCertificate(authority, serverNames, nowMs - 398 * dayMs);
      case "wrong-host":
        return issueServerCertificate(authority, ["wrong-host.example"], nowMs);
      case "other-authority":
        return issueServerCertificate(issueAuthority(nowMs), serverNames, nowMs);
      case "no-alpn":
        return { ...server, protocols: [] };
      case "client-certificate-required":
        return { ...server, clientCertificate: "required" };
      case "tls-1.2":
        return { ...server, newestTls: "TLSv1.2" };
    }
  }
}
