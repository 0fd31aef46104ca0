import { X509Certificate } from "node:crypto";
import { startSimulator } from "@carillon/simulator";
import { expect, onTestFinished, test } from "vitest";
import { appNamed, client } from "./bridge.test-support.ts";
import { identifySender, type PresentedCertificate } from "./sender-identity.ts";

/** The simulator's certificate, for `topic` in both environments. */
async function certificateFor(topic: string, fault?: string): Promise<PresentedCertificate> {
  const simulator = await startSimulator({ topic });
  onTestFinished(() => simulator.close());
  return presented(simulator.credentials.certificate.cert, fault);
}

function presented(cert: string, fault: string | undefined): PresentedCertificate {
  const { raw, fingerprint256 } = new X509Certificate(cert);
  return { raw, fingerprint: fingerprint256.replaceAll(":", ""), fault };
}

test("a trusted certificate is the app's whose topic is its UID; one for a push type of its own keeps its topic", async () => {
  const apps = [appNamed("other", { topic: "com.example.other" }), appNamed("demo")];
  expect(identifySender(apps, await certificateFor("com.example.demo"))).toEqual({
    kind: "known",
    app: apps[1],
  });
  expect(identifySender(apps, await certificateFor("com.example.demo.voip"))).toEqual({
    ...{ kind: "known", app: apps[1], topic: "com.example.demo.voip" },
  });
});

test("a pinned certificate is its app's, whoever signed it and whatever is wrong with it", async () => {
  const certificate = presented((await client).cert, "CERT_HAS_EXPIRED");
  const apps = [appNamed("other"), appNamed("demo", { fingerprints: [certificate.fingerprint] })];
  expect(identifySender(apps, certificate)).toEqual({ kind: "known", app: apps[1] });
});

test("who is refused is told why in words that help, with the fingerprint to pin", async () => {
  const demo = await certificateFor("com.example.demo");
  const untrusted = { ...demo, fault: "SELF_SIGNED_CERT_IN_CHAIN" };
  const nameless = presented((await client).cert, undefined);
  const of = (apps: Parameters<typeof identifySender>[0], certificate?: PresentedCertificate): string => {
    const identity = identifySender(apps, certificate);
    return identity.kind === "unknown" ? `${identity.detail}: ${identity.remedy}` : identity.kind;
  };
  const pin = `binary.fingerprints: ["${demo.fingerprint}"]`;
  expect(of([appNamed("demo")])).toMatch(/presents no client certificate/);
  expect(of([appNamed("demo")], untrusted)).toMatch(/UID com\.example\.demo.*SELF_SIGNED.*binary\.clientCa/);
  expect(of([appNamed("demo")], untrusted)).toContain(pin);
  expect(of([appNamed("demo")], nameless)).toMatch(/no UID/);
  expect(of([appNamed("demo", { topic: "com.example.else" })], demo)).toMatch(
    /for com\.example\.demo, and no app/,
  );
  expect(of([appNamed("one"), appNamed("two")], demo)).toMatch(/topic of "one" and "two": pin it/);
});
