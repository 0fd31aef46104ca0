import { expect, test } from "vitest";
import { ReceiverPolicy } from "./receiver-policy.ts";

const strict = new ReceiverPolicy({});
const detailOf = (policy: ReceiverPolicy, url: string) => {
  const checked = policy.checkUrl(url);
  return checked.kind === "refused" ? checked.detail : undefined;
};

test.each([
  ...["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.0.0.1."],
  ...[
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[fe80::1]",
    "[fc00::1]",
    "[64:ff9b::7f00:1]",
  ],
  ...["100.64.0.1", "169.254.169.254", "0.0.0.0", "0", "192.0.0.1", "198.18.0.1", "224.0.0.1", "[ff02::1]"],
  ...[
    "１２７.0.0.1",
    "①②⑦.0.0.1",
    "127。0。0。1",
    "10.0.0.1",
    "192.168.0.1",
    "[0:0:0:0:0:ffff:169.254.169.254]",
  ],
])("https://%s/ is refused before anything is looked up", (host) => {
  expect(detailOf(strict, `https://${host}/hook`)).toMatch(/ is .*webhooks\.allowNetworks/);
});

test.each([
  ["http://hooks.example.com/", "must be https"],
  ["ftp://hooks.example.com/", "must be https"],
  ["file:///etc/passwd", "must be https"],
  ["http+unix://%2Fvar%2Frun%2Fdocker.sock/", "must be https"],
  ["unix:/var/run/docker.sock", "must be https"],
  ["javascript:alert(1)", "must be https"],
  ["https://user:pass@hooks.example.com/", "name or password"],
  ["https://user@hooks.example.com/", "name or password"],
  ["https://hooks.example.com@10.0.0.1/", "name or password"],
  ["https://hooks.example.com:22/", "Port 22 is not allowed"],
  ["https://hooks.example.com:80/", "Port 80 is not allowed"],
  ["https://hooks.example.com/#top", "behind #"],
  ["hooks.example.com", "no address"],
  ["https://", "no address"],
  ["https://300.1.1.1/", "no address"],
  ["", "no address"],
])("%j is refused, with what to do about it", (url, words) => {
  expect(detailOf(strict, url)).toContain(words);
});

test("what is open or allowed passes", () => {
  const wide = new ReceiverPolicy({ allowHttp: true, allowPorts: [8443], allowNetworks: ["10.0.0.0/8"] });
  for (const url of ["https://hooks.example.com/a?b=c", "https://hooks.example.com:443/", "https://1.1.1.1/"])
    expect(detailOf(strict, url)).toBeUndefined();
  for (const url of ["http://10.1.1.1/", "https://hooks.example.com:8443/", "https://0x0a.1/"])
    expect(detailOf(wide, url)).toBeUndefined();
  expect(detailOf(wide, "http://hooks.example.com:8080/")).toContain("Port 8080");
  expect(
    detailOf(new ReceiverPolicy({ allowPorts: "any" }), "https://hooks.example.com:22/"),
  ).toBeUndefined();
});

test("a name with one private address among public ones is refused as a whole, and so is one without any", () => {
  expect(strict.checkAddresses(["1.1.1.1", "2606:4700::1111"]).kind).toBe("allowed");
  expect(strict.checkAddresses(["1.1.1.1", "10.0.0.1"])).toMatchObject({
    kind: "refused",
    detail: expect.stringContaining("10.0.0.1 is a private network"),
  });
  expect(strict.checkAddresses([]).kind).toBe("refused");
});
