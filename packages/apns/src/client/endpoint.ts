/** Where connections go. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** The `:authority` of requests: host, and port where it is not 443. */
  readonly authority: string;
}

/** Source: Apple, "Sending notification requests to APNs", "Establish a connection to APNs". */
const appleHosts = { production: "api.push.apple.com", sandbox: "api.sandbox.push.apple.com" } as const;

/** Source: Apple, "Sending channel management requests to APNs", "Establish a connection to APNs". */
const appleChannelHosts = {
  production: { host: "api-manage-broadcast.push.apple.com", port: 2196 },
  sandbox: { host: "api-manage-broadcast.sandbox.push.apple.com", port: 2195 },
} as const;

export type ParsedEndpoint =
  | { readonly kind: "parsed"; readonly endpoint: Endpoint }
  | { readonly kind: "refused"; readonly detail: string };

/** Exactly one of `environment` and `endpoint` as a place to connect to. */
export function parseEndpoint(options: {
  readonly environment?: "production" | "sandbox";
  readonly endpoint?: string;
  readonly port?: 443 | 2197;
}): ParsedEndpoint {
  const { environment, endpoint, port: applePort = 443 } = options;
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
    if (applePort !== 443 && applePort !== 2197)
      return { kind: "refused", detail: "missing: port must be 443 or 2197, the two that Apple listens on" };
    const authority = applePort === 443 ? host : `${host}:${applePort}`;
    return { kind: "parsed", endpoint: { host, port: applePort, authority } };
  }
  if (options.port !== undefined)
    return {
      kind: "refused",
      detail: "names its own port, https://host:port; the option port is for Apple's hosts",
    };
  return parseUrl(endpoint);
}

/** Where channels are managed: what was given, else Apple's host for the environment, else the same place as for notifications. */
export function parseChannelsEndpoint(
  options: { readonly environment?: "production" | "sandbox"; readonly channelsEndpoint?: string },
  endpoint: ParsedEndpoint,
): ParsedEndpoint {
  const { environment, channelsEndpoint } = options;
  if (channelsEndpoint !== undefined) return parseUrl(channelsEndpoint);
  if (environment === undefined || endpoint.kind === "refused") return endpoint;
  const { host, port } = appleChannelHosts[environment];
  return { kind: "parsed", endpoint: { host, port, authority: `${host}:${port}` } };
}

function parseUrl(text: string | undefined): ParsedEndpoint {
  const url = URL.canParse(text ?? "") ? new URL(text ?? "") : undefined;
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
