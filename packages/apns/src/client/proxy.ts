import { connect as connectTcp, type LookupFunction, type Socket } from "node:net";
import type { Endpoint } from "./endpoint.ts";

/** An HTTP proxy that opens tunnels (CONNECT, RFC 9110 §9.3.6). */
export interface ProxyAddress {
  readonly host: string;
  readonly port: number;
  /** The value of Proxy-Authorization; secret. */
  readonly authorization: string | undefined;
}

/** The head of the proxy's answer at most. */
const mostHeadBytes = 16_384;

/** `http://host:port`, with `user:password@` in front of the host where it wants that; undefined for anything else. */
export function parseProxy(text: unknown): ProxyAddress | undefined {
  if (typeof text !== "string" || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== "http:" || url.pathname !== "/" || url.search !== "" || url.hash !== "")
    return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? 80 : Number(url.port);
  if (url.username === "" && url.password === "") return { host, port, authorization: undefined };
  const user = decodeText(url.username);
  const password = decodeText(url.password);
  if (user === undefined || password === undefined) return undefined;
  return { host, port, authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
}

/**
 * Opens a tunnel to `endpoint`. `done` is called once, with a socket from which nothing of the endpoint's was read, or with
 * an error that says what the proxy did and holds no secret. Destroying the returned socket ends the attempt; `done` is told.
 */
export function openTunnel(
  proxy: ProxyAddress,
  endpoint: Endpoint,
  lookup: LookupFunction,
  done: (result: Socket | Error) => void,
): Socket {
  const socket = connectTcp({ host: proxy.host, port: proxy.port, lookup, autoSelectFamily: true });
  const where = `the proxy ${proxy.host}:${proxy.port}`;
  let head = Buffer.alloc(0);
  const finish = (result: Socket | Error): void => {
    socket.removeListener("readable", onReadable);
    socket.removeListener("close", onClose);
    if (result instanceof Error) socket.destroy();
    done(result);
  };
  const onReadable = (): void => {
    for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read()) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0 && head.length <= mostHeadBytes) continue;
      const refusal = explainAnswer(head.toString("latin1", 0, Math.max(0, end)), where);
      // The endpoint does not speak before our ClientHello; whatever came is put back all the same.
      if (refusal === undefined && end + 4 < head.length) socket.unshift(head.subarray(end + 4));
      finish(refusal === undefined ? socket : new Error(refusal));
      return;
    }
  };
  let failure: string | undefined;
  const onClose = (): void =>
    finish(new Error(failure ?? `${where} closed the connection before it answered CONNECT`));
  socket.on("error", (error: Error & { code?: string }) => {
    failure = `${where}: ${error.message || error.code || "the connection failed"}`;
  });
  socket.once("connect", () => {
    const target = `${endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`;
    const credentials =
      proxy.authorization === undefined ? "" : `Proxy-Authorization: ${proxy.authorization}\r\n`;
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${credentials}\r\n`);
  });
  socket.on("readable", onReadable);
  socket.once("close", onClose);
  return socket;
}

function explainAnswer(head: string, where: string): string | undefined {
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1];
  if (status === undefined) return `${where} answered CONNECT with something else than HTTP`;
  if (status.startsWith("2")) return undefined;
  if (status === "407") return `${where} answered 407: check the user and password in the option proxy`;
  return `${where} answered CONNECT with status ${status}`;
}

function decodeText(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}
