import { expect, test } from "vitest";
import type { AppConfig, BinaryConfig, Config } from "../config/index.ts";
import { type Issued, issue } from "./authorities.test-support.ts";
import { checkBridge } from "./check-bridge.ts";

const root = await issue("Root");
const middle = await issue("Middle", { issuer: root });
const hosts = ["push.example.com"];
const server = await issue("server", { issuer: root, isAuthority: false, hosts });

const demo: AppConfig = {
  ...{ name: "demo", topic: "com.example.demo", environment: "production" },
  credentials: { kind: "token", key: "", keyId: "ABC123DEFG", teamId: "DEF123GHIJ" },
};

function look(binary: Partial<BinaryConfig> = {}, apps: readonly AppConfig[] = [demo]) {
  const config: Pick<Config, "binary" | "apps"> = {
    binary: {
      ...{ host: "0.0.0.0", port: 2195, feedbackPort: 2196, mode: "queued", minTls: "TLSv1.2" },
      ...{ cert: server.cert, key: server.key, clientCa: root.cert },
      ...binary,
    },
    apps,
  };
  return checkBridge(config, Date.now());
}

const levelsOf = (findings: ReturnType<typeof look>, pattern: RegExp): string[] =>
  findings.filter(({ what }) => pattern.test(what)).map(({ level }) => level);

const showing = ({ cert, key }: Issued) => look({ cert, key });

test("a bridge in order has nothing but ok, and tells whom senders must trust", () => {
  const findings = look();
  expect(findings.map(({ level }) => level)).toEqual(findings.map(() => "ok"));
  expect(findings.map(({ what }) => what).join("\n")).toMatch(
    /listens on 0\.0\.0\.0:2195, feedback on 2196, queued\n.*for push\.example\.com, valid until .*\n.*do not trust "Root".*\n.*whom "Root" signed.*\n.*with the UID com\.example\.demo/,
  );
  expect(checkBridge({ apps: [demo] }, Date.now())).toEqual([]);
});

test("a certificate that is over is a problem; one that ends soon, names nobody or signs itself a warning", async () => {
  const over = await issue("over", { issuer: root, isAuthority: false, hosts, validDays: -1 });
  const soon = await issue("soon", { issuer: root, isAuthority: false, hosts, validDays: 5 });
  const nameless = await issue("nameless", { issuer: root, isAuthority: false });
  const own = await issue("own", { isAuthority: false, hosts });
  expect(levelsOf(showing(over), /has expired/)).toEqual(["problem"]);
  expect(levelsOf(showing(soon), /about to expire/)).toEqual(["warning"]);
  expect(levelsOf(showing(nameless), /names no host/)).toEqual(["warning"]);
  expect(levelsOf(showing(own), /signed by itself/)).toEqual(["warning"]);
});

test("an authority that does not lead up to a root in the file lets nobody in: a problem", () => {
  const findings = look({ clientCa: middle.cert });
  expect(levelsOf(findings, /nobody is let in through "Middle" .*"Root" is missing/)).toEqual(["problem"]);
  expect(levelsOf(look({ clientCa: middle.cert + root.cert }), /nobody is let in/)).toEqual([]);
});

test("TLS that is broken is a warning, and an EC key beside it another", () => {
  expect(levelsOf(look({ minTls: "TLSv1" }), /minTls is TLSv1|EC key/)).toEqual(["warning", "warning"]);
  expect(levelsOf(look({ minTls: "TLSv1.3" }), /minTls/)).toEqual([]);
});

test("an app that no sender can be, and two with one topic, are warnings; pins help both", () => {
  const fingerprints = ["AB".repeat(32)];
  const alone = (apps: readonly AppConfig[]) => checkBridge({ binary: bare, apps }, Date.now());
  const bare: BinaryConfig = {
    ...{ host: "0.0.0.0", port: 2195, feedbackPort: 2196, mode: "queued", minTls: "TLSv1.2" },
    ...{ cert: server.cert, key: server.key },
  };
  expect(levelsOf(alone([demo]), /no sender .* can be this app/)).toEqual(["warning"]);
  expect(levelsOf(alone([{ ...demo, fingerprints }]), /stand for it: 1 pinned/)).toEqual(["ok"]);
  const twin = { ...demo, name: "twin", environment: "sandbox" } as const;
  expect(levelsOf(look({}, [demo, twin]), /its topic in common with "(twin|demo)"/)).toEqual([
    "warning",
    "warning",
  ]);
  expect(levelsOf(look({}, [{ ...demo, fingerprints }, twin]), /in common/)).toEqual(["warning"]);
});
