import type { PeerRequest } from "./raw-peer.ts";

/** A management service with one app's channels in memory, as Apple's pages describe it, on a raw peer. */
export class ChannelService {
  /** Id to storage policy. */
  readonly channels = new Map<string, number>();
  readonly requests: PeerRequest[] = [];

  /** Answers a request about channels. */
  answer(request: PeerRequest): void {
    const { connection, stream, headers } = request;
    const method = headers.get(":method") ?? "";
    const path = headers.get(":path") ?? "";
    const id = headers.get("apns-channel-id") ?? "";
    const about = ["apns-request-id", headers.get("apns-request-id") ?? ""];
    this.requests.push(request);
    connection.open.delete(stream);
    const say = (text: string): void => {
      connection.headers(stream, [":status", "200", ...about], "more");
      for (let at = 0; at < text.length; at += 16_384)
        connection.data(stream, text.slice(at, at + 16_384), at + 16_384 >= text.length ? "end" : "more");
    };
    if (method === "POST" && path.endsWith("/channels")) {
      const made = Buffer.from(`channel-${this.channels.size}`).toString("base64");
      this.channels.set(made, JSON.parse(request.body.toString())["message-storage-policy"]);
      connection.headers(stream, [":status", "201", ...about, "apns-channel-id", made], "end");
    } else if (method === "GET" && path.endsWith("/all-channels")) {
      say(JSON.stringify({ channels: [...this.channels.keys()] }));
    } else if (!this.channels.has(id)) {
      connection.answer(request, 404, { reason: "BadPath" }, about);
    } else if (method === "GET") {
      say(JSON.stringify({ "message-storage-policy": this.channels.get(id), "push-type": "LiveActivity" }));
    } else if (method === "DELETE") {
      this.channels.delete(id);
      connection.headers(stream, [":status", "204", ...about], "end");
    } else {
      connection.answer(request, 405, { reason: "MethodNotAllowed" }, about);
    }
  }
}
