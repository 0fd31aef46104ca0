export interface HostPort {
  /** A name or an address; one of IPv6 without its brackets. */
  readonly host: string;
  readonly port: number;
}

/** `HOST:PORT` or `[IPv6]:PORT` as it was typed, or undefined after a refusal. */
export function readHostPort(
  text: string,
  example: string,
  refuse: (detail: string) => void,
): HostPort | undefined {
  const [, bracketed, name, digits] = /^(?:\[([\da-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? name;
  const port = Number(digits);
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port };
  refuse(`must be HOST:PORT, such as ${example}.`);
  return undefined;
}
