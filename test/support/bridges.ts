import type { Simulator, SimulatorOptions } from "@carillon/simulator";
import { startSimulator } from "@carillon/simulator";
import type { AppConfig, Config, Gateway } from "carillon";
import { onTestFinished } from "vitest";
import { appFor, configFor, openGateway, temporaryFolder } from "./gateways.ts";
import type { SenderIdentity } from "./legacy-sender.ts";
import { makeServerCertificate } from "./server-certificate.ts";

export interface BridgeSite {
  readonly apple: Simulator;
  readonly gateway: Gateway;
  readonly config: Config;
  /** A sender whose certificate the bridge knows. */
  readonly sender: SenderIdentity;
  readonly feedbackReader: SenderIdentity;
}

const server = makeServerCertificate();

/** A simulator, and a gateway with a bridge that sends to it; both end with the test. */
export async function openBridge(
  binary: Partial<NonNullable<Config["binary"]>> = {},
  simulated: SimulatorOptions = {},
  app: Partial<AppConfig> = {},
): Promise<BridgeSite> {
  const { ca, cert, key } = await server;
  const apple = await startSimulator(simulated);
  onTestFinished(() => apple.close());
  const config: Config = {
    ...configFor(temporaryFolder(), { ...appFor(apple), ...app }),
    binary: {
      ...{ host: "127.0.0.1", port: 0, feedbackPort: 0, cert, key, clientCa: apple.ca },
      ...{ mode: "queued", minTls: "TLSv1.2" },
      ...binary,
    },
  };
  const gateway = await openGateway(config);
  return { apple, gateway, config, ...identitiesFor(gateway, apple, ca) };
}

/** How the simulator's client certificate comes in. */
export function identitiesFor(
  { binary }: Gateway,
  { credentials }: Simulator,
  ca: string,
): Pick<BridgeSite, "sender" | "feedbackReader"> {
  if (binary === undefined) throw new Error("the gateway has no bridge");
  const { cert, key } = credentials.certificate;
  return {
    sender: { port: binary.port, ca, cert, key },
    feedbackReader: { port: binary.feedbackPort, ca, cert, key },
  };
}
