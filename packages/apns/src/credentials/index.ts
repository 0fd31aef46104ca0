/** Who the sender is: provider keys and the tokens they sign, certificates. */
export { type Credentials, type Identity, openCredentials } from "./credentials.ts";
export { loadProviderKey } from "./provider-key.ts";
export {
  type ProviderTokenClaims,
  type ReadProviderToken,
  readProviderToken,
  signProviderToken,
  verifyProviderToken,
} from "./provider-token.ts";
export { ProviderTokenSource, providerTokenSource } from "./provider-token-source.ts";
