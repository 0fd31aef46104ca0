import type { PushCertificate } from "../credentials/index.ts";
import type { ProviderTokenSession } from "./provider-token-session.ts";

/** Who sends on a connection. */
export type Sender =
  /** No client certificate: every request needs a provider token. */
  | { readonly kind: "token"; readonly session: ProviderTokenSession }
  | { readonly kind: "certificate"; readonly certificate: PushCertificate }
  /** A certificate that has expired, that another authority signed, or that is not for pushing. */
  | { readonly kind: "bad-certificate" };
