import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import type { SenderIdentity } from "../../../../test/support/legacy-sender.ts";
import { openBridgeAlone } from "./bridge.test-support.ts";

const versions = ["TLSv1.2", "TLSv1.3"] as const;

function open(identity: SenderIdentity, more: object): TLSSocket {
  const socket = connect({ host: "127.0.0.1", servername: "localhost", ...identity, ...more });
  onTestFinished(() => void socket.destroy());
  return socket.resume();
}

test.each(versions)(
  "who comes again with its session shows its certificate anew (%s)",
  async (maxVersion) => {
    const { sender } = await openBridgeAlone();
    const first = open(sender, { maxVersion });
    const [session] = (await once(first, "session")) as [Buffer];
    const again = open(sender, { maxVersion, session });
    await once(again, "secureConnect");
    expect(again.isSessionReused()).toBe(false);
    again.end();
    await once(again, "close"); // in order: it was let in
    expect(first.destroyed).toBe(false);
  },
);
