import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import { expect, test } from "vitest";
import { issue } from "./authorities.test-support.ts";
import { followChain, readCertificates } from "./chain.ts";

const root = await issue("Root");
const middle = await issue("Middle", { issuer: root });
const leaf = await issue("leaf", { issuer: middle, isAuthority: false });
const old = await issue("old", { issuer: root, isAuthority: false, validDays: -1 });
const stranger = await issue("Stranger");
const lone = await issue("lone", { isAuthority: false });

const cases: readonly [what: string, shown: readonly string[], anchors: readonly string[]][] = [
  ["its root and what is between", [leaf.cert, middle.cert], [root.cert]],
  ["an anchor between", [leaf.cert], [middle.cert, root.cert]],
  ["an anchor between without its root", [leaf.cert, middle.cert], [middle.cert]],
  ["its root alone", [leaf.cert], [root.cert]],
  ["another root", [leaf.cert, middle.cert, root.cert], [stranger.cert]],
  ["no anchors", [leaf.cert, middle.cert], []],
  ["an end that has come", [old.cert], [root.cert]],
  ["itself", [lone.cert], [lone.cert]],
  ["itself, which is not trusted", [lone.cert], [root.cert]],
];

test.each(cases)(
  "a certificate with %s is trusted exactly where TLS trusts it",
  async (_, shown, anchors) => {
    const [own, ...others] = readCertificates(shown.join("\n"));
    if (own === undefined) throw new Error("nothing is shown");
    const trust = followChain(own, others, readCertificates(anchors.join("\n")), Date.now());
    const keys = [leaf, old, lone].find(({ cert }) => cert === shown[0]);
    const truth = await askTls(shown, keys?.key ?? "", anchors);
    expect(trust.kind).toBe(truth === undefined ? "trusted" : "untrusted");
    if (trust.kind === "untrusted" && truth === "CERT_HAS_EXPIRED") expect(trust.fault).toContain(truth);
  },
);

test("what is missing is named", () => {
  const [own] = readCertificates(leaf.cert);
  expect(own && followChain(own, [], [], Date.now())).toEqual({
    kind: "untrusted",
    fault: 'UNABLE_TO_GET_ISSUER_CERT, the certificate of "Middle" is missing',
  });
});

/** What a server of Node holds against a client with this certificate. */
async function askTls(
  shown: readonly string[],
  key: string,
  anchors: readonly string[],
): Promise<string | undefined> {
  const server = createServer({
    ...{ cert: root.cert, key: root.key, ca: [...anchors], requestCert: true, rejectUnauthorized: false },
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: "127.0.0.1", port, cert: shown.join("\n"), key, rejectUnauthorized: false });
  client.on("error", () => undefined);
  const [socket] = (await once(server, "secureConnection")) as [TLSSocket];
  const fault = socket.authorized ? undefined : String(socket.authorizationError);
  client.destroy();
  socket.destroy();
  server.close();
  return fault;
}
