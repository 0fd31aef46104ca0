import { BinaryConnection } from "./binary-connection.ts";
import type { Port } from "./connections/index.ts";
import { FeedbackConnection } from "./feedback-connection.ts";
import { Http2Speaker } from "./http2/index.ts";
import { PushConnection } from "./push-connection.ts";
import type { PushService } from "./push-service.ts";
import { type Speaker, SpeakerByFirstByte, type TlsClient } from "./wire/index.ts";

/** Frames of the binary protocol begin with their command. */
const lastCommand = 2;

/**
 * Who speaks with a client, on ports that today's protocol shares with the retired one: HTTP/2 where ALPN chose it. A client without
 * ALPN gets the binary gateway or the feedback service on their own ports, and elsewhere what its first byte asks for.
 */
export function speak(service: PushService, client: TlsClient, port: Port): Speaker {
  const http2 = (): Speaker => new Http2Speaker(new PushConnection(service, client, port));
  if (client.alpn !== undefined) return http2();
  if (port === "feedback") return new FeedbackConnection(service, client);
  if (port === "binary") return new BinaryConnection(service, client, port);
  return new SpeakerByFirstByte((firstByte) =>
    firstByte <= lastCommand ? new BinaryConnection(service, client, port) : http2(),
  );
}
