import { isIP } from "node:net";

/** An address as a number, so that networks are ranges. */
interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** All addresses that begin with the same bits. */
export interface Network {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

/** Of `::ffff:0:0/96`, which holds all of IPv4. */
const mappedFirst = 0xffffn << 32n;

/**
 * What is not the open internet, and why. IPv4: IANA "IPv4 Special-Purpose Address Registry", and the address at which
 * Azure's hosts answer their guests, which looks like any other.
 */
const closedIpv4: readonly (readonly [string, string])[] = [
  ["0.0.0.0/8", "this host"],
  ["10.0.0.0/8", "a private network"],
  ["100.64.0.0/10", "a provider's inner network"],
  ["127.0.0.0/8", "this machine"],
  ["168.63.129.16/32", "a cloud's metadata service"],
  ["169.254.0.0/16", "a link-local address, where clouds keep their metadata"],
  ["172.16.0.0/12", "a private network"],
  ["192.0.0.0/24", "reserved for protocols"],
  ["192.0.2.0/24", "for documentation"],
  ["192.31.196.0/24", "reserved for protocols"],
  ["192.52.193.0/24", "reserved for protocols"],
  ["192.88.99.0/24", "a relay to IPv6"],
  ["192.168.0.0/16", "a private network"],
  ["192.175.48.0/24", "reserved for protocols"],
  ["198.18.0.0/15", "for measurements"],
  ["198.51.100.0/24", "for documentation"],
  ["203.0.113.0/24", "for documentation"],
  ["224.0.0.0/4", "multicast"],
  ["240.0.0.0/4", "reserved"],
];

/** Of IPv6 only 2000::/3 is given out (IANA "IPv6 Global Unicast Address Assignments"), and this much of it is special. */
const closedIpv6: readonly (readonly [string, string])[] = [
  ["2001::/23", "reserved for protocols, tunnels among them"],
  ["2001:db8::/32", "for documentation"],
  ["2002::/16", "a tunnel to IPv4"],
  ["2620:4f:8000::/48", "reserved for protocols"],
  ["3fff::/20", "for documentation"],
];

/** Names for the best known of what lies outside 2000::/3. */
const outerIpv6: readonly (readonly [string, string])[] = [
  ["::/128", "this host"],
  ["::1/128", "this machine"],
  ["64:ff9b::/96", "a translation of an IPv4 address"],
  ["64:ff9b:1::/48", "a translation of an IPv4 address"],
  ["fc00::/7", "a private network"],
  ["fe80::/10", "a link-local address"],
  ["ff00::/8", "multicast"],
];

const globalUnicast = networkOf("2000::/3");
const closed = {
  4: closedIpv4.map(([text, what]) => ({ network: networkOf(text), what })),
  6: [...closedIpv6, ...outerIpv6].map(([text, what]) => ({ network: networkOf(text), what })),
};

/**
 * Why nothing is sent to this address, in words; undefined when it belongs to the open internet or to an allowed
 * network. An IPv4 address in the clothes of IPv6 (`::ffff:10.0.0.1`) is judged as what it is.
 */
export function judgeAddress(text: string, allowed: readonly Network[]): string | undefined {
  const address = parseAddress(text);
  if (address === undefined) return "no address";
  if (allowed.some((network) => contains(network, address))) return undefined;
  const found = closed[address.family].find(({ network }) => contains(network, address));
  if (found !== undefined) return found.what;
  return address.family === 4 || contains(globalUnicast, address) ? undefined : "not given out to anybody";
}

/** `10.0.0.0/8`, `fd00::/8`, or a single address; undefined for anything else. */
export function parseNetwork(text: string): Network | undefined {
  const [base = "", length, ...more] = text.split("/");
  const family = isIP(base);
  const address = family === 0 ? undefined : read(base);
  if (address === undefined || more.length > 0) return undefined;
  const bits = address.family === 4 ? 32 : 128;
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return undefined;
  const prefix = length === undefined ? bits : Number(length);
  if (prefix > bits) return undefined;
  const size = 1n << BigInt(bits - prefix);
  const first = (address.value / size) * size;
  return mappedNetwork({ family: address.family, first, last: first + size - 1n });
}

function networkOf(text: string): Network {
  const network = parseNetwork(text);
  if (network === undefined) throw new TypeError(`${text} is no network`);
  return network;
}

/** `::ffff:0:0/96` and what lies in it means IPv4. */
function mappedNetwork(network: Network): Network {
  if (network.family === 4 || network.first >> 32n !== 0xffffn || network.last >> 32n !== 0xffffn)
    return network;
  return { family: 4, first: network.first - mappedFirst, last: network.last - mappedFirst };
}

function parseAddress(text: string): Address | undefined {
  if (isIP(text) === 0) return undefined;
  const address = read(text);
  if (address?.family !== 6 || address.value >> 32n !== 0xffffn) return address;
  return { family: 4, value: address.value - mappedFirst };
}

/** @param text what `isIP` takes; a zone (`%eth0`) makes it no address that could be judged */
function read(text: string): Address | undefined {
  if (text.includes("%")) return undefined;
  if (!text.includes(":")) return { family: 4, value: readIpv4(text) };
  const [head = "", tail] = withHexTail(text).split("::");
  const front = groups(head);
  const back = groups(tail ?? "");
  const gap = Array<bigint>(8 - front.length - back.length).fill(0n);
  const value = [...front, ...gap, ...back].reduce((sum, group) => (sum << 16n) | group, 0n);
  return { family: 6, value };
}

function readIpv4(text: string): bigint {
  return text.split(".").reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

/** The last 32 bits may be written like an IPv4 address. */
function withHexTail(text: string): string {
  const at = text.lastIndexOf(":") + 1;
  if (!text.includes(".")) return text;
  const value = readIpv4(text.slice(at));
  return `${text.slice(0, at)}${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
}

function groups(text: string): bigint[] {
  return text === "" ? [] : text.split(":").map((group) => BigInt(`0x${group}`));
}

function contains(network: Network, { family, value }: Address): boolean {
  return network.family === family && value >= network.first && value <= network.last;
}
