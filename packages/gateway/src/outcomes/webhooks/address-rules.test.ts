import { BlockList } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { judgeAddress, parseNetwork } from "./address-rules.ts";

const judge = (address: string, ...allowed: string[]) =>
  judgeAddress(
    address,
    allowed.flatMap((text) => parseNetwork(text) ?? []),
  );

test.each([
  ...["0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "100.100.100.200"],
  ...["127.0.0.1", "127.255.255.254", "169.254.169.254", "169.254.170.2", "168.63.129.16", "172.16.0.1"],
  ...[
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
  ],
  ...["198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"],
  ...[
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "0:0:0:0:0:ffff:7f00:1",
  ],
  ...[
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:2::1",
  ],
  ...[
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
  ],
  ...[
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "fe80::1%eth0",
    "2600::1%1",
    "::ffff:0:127.0.0.1",
    "4000::1",
  ],
  ...["", "localhost", "127.1", "0x7f.1", "017700000001", "2130706433", "1.2.3", "1.2.3.4.5", "[::1]"],
])("nothing is sent to %s", (address) => {
  expect(judge(address)).toEqual(expect.any(String));
});

test.each([
  "1.1.1.1",
  "8.8.8.8",
  "100.63.255.255",
  "100.128.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "192.0.1.1",
])("%s is open", (address) => {
  expect(judge(address)).toBeUndefined();
  expect(judge(`::ffff:${address}`)).toBeUndefined();
});

test.each(["2600::1", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "2400:cb00:2048:1::6814:1"])(
  "%s is open",
  (address) => expect(judge(address)).toBeUndefined(),
);

test("an allowed network is open, in each of its spellings, and what lies beside it is not", () => {
  expect(judge("10.1.2.3", "10.1.0.0/16")).toBeUndefined();
  expect(judge("::ffff:10.1.2.3", "10.1.0.0/16")).toBeUndefined();
  expect(judge("10.1.2.3", "::ffff:10.1.0.0/112")).toBeUndefined();
  expect(judge("10.2.0.0", "10.1.0.0/16")).toBe("a private network");
  expect(judge("fd00::1", "fd00::/8")).toBeUndefined();
  expect(judge("fd00::1", "10.0.0.0/8", "0.0.0.0/0")).toBe("a private network");
  expect(judge("127.0.0.1", "127.0.0.1")).toBeUndefined();
  expect(judge("127.0.0.2", "127.0.0.1")).toBe("this machine");
  expect(judge("::1", "::/0")).toBeUndefined();
});

test.each([
  "",
  "10.0.0.0/",
  "10.0.0.0/33",
  "::/129",
  "10.0.0/8",
  "10.0.0.0/8/8",
  "a",
  "10.0.0.0/-1",
  "fe80::%1/10",
])("%j is no network", (text) => expect(parseNetwork(text)).toBeUndefined());

/** The same rules in the words of Node's own list, which reads addresses by other code. */
function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [base = "", prefix] = network.split("/");
    list.addSubnet(base, Number(prefix), base.includes(":") ? "ipv6" : "ipv4");
  }
  return list;
}

const closed4 = listOf(
  (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 " +
    "192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 " +
    "203.0.113.0/24 224.0.0.0/4 240.0.0.0/4"
  ).split(" "),
);
const closed6 = listOf(["2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"]);
const open6 = listOf(["2000::/3"]);

/** Addresses near the edges of networks as often as anywhere. */
const ipv4 = fc
  .oneof(
    fc.nat({ max: 0xffffffff }),
    fc
      .tuple(
        fc.constantFrom(
          0x0a000000,
          0x64400000,
          0x7f000000,
          0xa9fe0000,
          0xac100000,
          0xc0000000,
          0xc0a80000,
          0xc6120000,
        ),
        fc.integer({ min: -3, max: 0x20000 }),
      )
      .map(([edge, by]) => (edge + by) >>> 0),
  )
  .map((value) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join("."));

const ipv6 = fc
  .tuple(
    fc.constantFrom(undefined, "2001", "2002", "2620", "3fff", "fe80", "fc00", "64", "2000", "3ffe", "4000"),
    fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 0xffff })), { minLength: 8, maxLength: 8 }),
  )
  .map(([first, groups]) =>
    [first ?? groups[0]?.toString(16), ...groups.slice(1).map((group) => group.toString(16))].join(":"),
  );

test("every IPv4 address is judged as the list of networks says, also when it is mapped into IPv6", () => {
  fc.assert(
    fc.property(ipv4, (address) => {
      const isClosed = closed4.check(address, "ipv4");
      expect(judge(address) !== undefined).toBe(isClosed);
      expect(judge(`::ffff:${address}`) !== undefined).toBe(isClosed);
      // Any other way to write it inside IPv6 is closed, whatever it stands for.
      for (const prefix of ["::", "64:ff9b::", "2002:", "64:ff9b:1::"])
        expect(judge(prefix === "2002:" ? `2002:${hex(address)}::` : `${prefix}${address}`)).toBeDefined();
    }),
    { numRuns: 2_000 },
  );
});

test("every IPv6 address is judged as the list of networks says, however it is written", () => {
  fc.assert(
    fc.property(ipv6, (address) => {
      const isOpen = open6.check(address, "ipv6") && !closed6.check(address, "ipv6");
      const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
      if (/^::ffff:/.test(canonical)) return;
      for (const spelling of [address, canonical, address.toUpperCase()])
        expect(judge(spelling) === undefined, spelling).toBe(isOpen);
    }),
    { numRuns: 2_000 },
  );
});

function hex(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}
