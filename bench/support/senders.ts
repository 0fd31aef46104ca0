/** The libraries that the client benchmark compares, each behind the same function: send one push, settle its promise. */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { connect, constants } from "node:http2";
import { ApnsClient, type Outcome } from "@carillon/apns";
import { framesOnly } from "./frames-only.ts";
import type { Sender, Sink } from "./sender.ts";

const topic = "com.example.demo";
const keyId = "ABC123DEFG";
const teamId = "DEF123GHIJ";
const key = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ format: "pem", type: "pkcs8" })
  .toString();

/** Made beforehand, as a sender has them from a database; enough that no two on the way are alike. */
const deviceTokens = Array.from({ length: 1 << 17 }, () => randomBytes(32).toString("hex"));

function deviceToken(ordinal: number): string {
  return deviceTokens[ordinal % deviceTokens.length] as string;
}

/** About 150 bytes as JSON, and different each time. */
function payload(ordinal: number): {
  aps: { alert: { title: string; body: string }; sound: string };
  order: number;
} {
  return {
    aps: {
      alert: {
        title: "Your order has left",
        body: `It should be with you in ${ordinal % 90} minutes, and no later`,
      },
      sound: "default",
    },
    order: ordinal,
  };
}

async function carillon(sink: Sink, payloadOf: (ordinal: number) => object): Promise<Sender> {
  const client = new ApnsClient({
    endpoint: `https://localhost:${sink.port}`,
    credentials: { kind: "token", key, keyId, teamId },
    topic,
    ca: sink.ca,
  });
  return {
    send: (ordinal) => client.send({ deviceToken: deviceToken(ordinal), payload: payloadOf(ordinal) }),
    isAccepted: (outcome) => (outcome as Outcome).kind === "accepted",
    close: () => client.close(),
  };
}

export const senders: Readonly<Record<string, (sink: Sink) => Promise<Sender>>> = {
  carillon: (sink) => carillon(sink, payload),

  /** The same with payloads of 1.5 kB. */
  "carillon-1500": (sink) => {
    const filler = "x".repeat(1500 - Buffer.byteLength(JSON.stringify({ ...payload(0), filler: "" })));
    return carillon(sink, (ordinal) => ({ ...payload(ordinal), filler }));
  },

  "frames only": (sink) => framesOnly(sink, JSON.stringify(payload(0))),

  "@parse/node-apn": async (sink) => {
    const { default: apn } = await import("@parse/node-apn");
    // Its types lack `address`, `port` and `ca`, which its documentation has.
    const options = {
      token: { key, keyId, teamId },
      address: "localhost",
      port: sink.port,
      ca: [sink.ca],
      production: true,
    };
    const provider = new apn.Provider(options as ConstructorParameters<typeof apn.Provider>[0]);
    return {
      send: (ordinal) => {
        const notification = new apn.Notification({ topic, pushType: "alert" });
        notification.rawPayload = payload(ordinal);
        return provider.send(notification, deviceToken(ordinal));
      },
      isAccepted: (result) => (result as { failed: unknown[] }).failed.length === 0,
      close: async () => provider.shutdown(),
    };
  },

  apns2: async (sink) => {
    const { ApnsClient: Apns2Client, Notification } = await import("apns2");
    const client = new Apns2Client({
      team: teamId,
      keyId,
      signingKey: key,
      defaultTopic: topic,
      host: "localhost",
    });
    // It always connects to port 443: give it the same pool, with its own options, for the sink's port.
    const holder = client as unknown as {
      client: { constructor: new (origin: string, options: object) => never };
    };
    holder.client = new holder.client.constructor(`https://localhost:${sink.port}`, {
      connections: 32,
      pipelining: 1,
      allowH2: true,
      maxConcurrentStreams: 100,
      connect: { ca: sink.ca },
    });
    return {
      send: (ordinal) => {
        const { aps, order } = payload(ordinal);
        return client.send(new Notification(deviceToken(ordinal), { aps, data: { order } }));
      },
      close: () => client.close(),
    };
  },

  "node:http2": async (sink) => {
    const session = connect(`https://localhost:${sink.port}`, { ca: sink.ca, maxSessionMemory: 500 });
    await new Promise((resolve) => session.once("remoteSettings", resolve));
    // A real provider token is about this long; signing it is not what is measured.
    const authorization = `bearer ${"e".repeat(44)}.${"c".repeat(72)}.${"s".repeat(86)}`;
    return {
      send: (ordinal) =>
        new Promise((resolve, reject) => {
          const stream = session.request({
            [constants.HTTP2_HEADER_METHOD]: "POST",
            [constants.HTTP2_HEADER_PATH]: `/3/device/${deviceToken(ordinal)}`,
            authorization,
            "apns-topic": topic,
            "apns-push-type": "alert",
          });
          stream.on("response", (headers) => {
            if (Number(headers[":status"]) !== 200) reject(new Error(`status ${headers[":status"]}`));
          });
          stream.on("error", reject);
          stream.on("end", resolve);
          stream.resume();
          stream.end(JSON.stringify(payload(ordinal)));
        }),
      close: async () => session.close(),
    };
  },
};
