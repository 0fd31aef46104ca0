/** Where connections go. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** The `:authority` of requests: host, and port where it is not 443. */
  readonly authority: string;
}

/** Source: Apple, "Sending notification requests to APNs", "Establish a connection to APNs". */
const appleHosts = { production: "api.push.apple.com", sandbox: "api.sandbox.push.apple.com" } as const;

export type ParsedEndpoint =
  | { readonly kind: "parsed"; readonly endpoint: Endpoint }
  | { readonly kind: "refused"; readonly detail: string };

/** Exactly one of `environment` and `endpoint` as a place to connect to. */
export function parseEndpoint(options: {
  readonly environment?: "production" | "sandbox";
  readonly endpoint?: string;
}): ParsedEndpoint {
  const { environment, endpoint } = options;
  if ((environment === undefined) === (endpoint === undefined)) {
    return {
      kind: "refused",
      detail: 'must be given, or environment ("production" or "sandbox"), and not both',
    };
  }
  if (environment !== undefined) {
    const host = Object.hasOwn(appleHosts, environment) ? appleHosts[environment] : undefined;
    if (host === undefined)
      return { kind: "refused", detail: 'missing: environment must be "production" or "sandbox"' };
    return { kind: "parsed", endpoint: { host, port: 443, authority: host } };
  }
  const url = URL.canParse(endpoint ?? "") ? new URL(endpoint ?? "") : undefined;
  if (
    url === undefined ||
    url.protocol !== "https:" ||
    url.pathname !== "/" ||
    url.search !== "" ||
    url.username !== ""
  ) {
    return { kind: "refused", detail: "must be https://host or https://host:port, with nothing behind it" };
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? 443 : Number(url.port);
  return { kind: "parsed", endpoint: { host, port, authority: url.host } };
}
