import { Resolver } from "node:dns/promises";
import { literalAddress } from "./receiver-policy.ts";

/** Finds the addresses of a name. Rejects when there is no answer. */
export type ResolveName = (name: string) => Promise<readonly string[]>;

const queryTimeoutMs = 2_000;
const tries = 2;

/**
 * Asks the DNS servers of this machine. Not by the operating system's look-up: that one runs in four threads that the whole
 * process shares, and a few names that are never answered would hold up everyone, the connections to Apple included.
 * /etc/hosts is therefore not read, except for what is always so: localhost is this machine (RFC 6761, section 6.3).
 * @param servers others than this machine's, `address:port`
 */
export function dnsResolver(servers?: readonly string[]): ResolveName {
  const resolver = new Resolver({ timeout: queryTimeoutMs, tries });
  if (servers !== undefined) resolver.setServers(servers);
  return async (name) => {
    if (/^(?:.+\.)?localhost\.?$/i.test(name)) return ["127.0.0.1"];
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const addresses = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
    const [failure] = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason] : []));
    if (addresses.length === 0 && failure !== undefined) throw failure;
    return addresses;
  };
}

/** The addresses behind a URL, looked up now. */
export async function findAddresses(url: URL, resolve: ResolveName): Promise<readonly string[]> {
  const literal = literalAddress(url);
  return literal === undefined ? resolve(url.hostname) : [literal];
}
