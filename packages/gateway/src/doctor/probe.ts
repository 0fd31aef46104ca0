import { isIP } from "node:net";
import { connect, rootCertificates, type SecureContextOptions, type TLSSocket } from "node:tls";
import type { Endpoint } from "@carillon/apns";
import { ClientConnection } from "@carillon/apns/http2";

export interface ProbeOptions {
  readonly endpoint: Endpoint;
  /** The client certificate; empty with a provider key. */
  readonly identity: SecureContextOptions;
  /** Trust anchors (PEM) beside Node's own. */
  readonly ca: string | undefined;
  /** For all of it: name, TCP, TLS and SETTINGS. */
  readonly deadlineMs: number;
}

/** What came of opening a connection for HTTP/2. Nothing is sent on it. */
export type Probed =
  | {
      readonly kind: "open";
      readonly tls: string;
      /** The protocol that the server chose; undefined where it chose none. */
      readonly alpn: string | undefined;
      /** Subjects, the server's own first. */
      readonly chain: readonly string[];
      readonly validUntilMs: number;
      readonly remoteAddress: string;
      /** Streams that may be open at once; undefined where the server named no number. */
      readonly streams: number | undefined;
      readonly tookMs: number;
    }
  | {
      readonly kind: "failed";
      /** How far it came. */
      readonly stage: "tcp" | "tls" | "http2";
      readonly code: string | undefined;
      readonly detail: string;
    };

/** Opens TLS and HTTP/2 to where an app sends, waits for the server's SETTINGS and says good-bye. */
export function probe({ endpoint, identity, ca, deadlineMs }: ProbeOptions): Promise<Probed> {
  const { host, port } = endpoint;
  const startedMs = performance.now();
  let stage: "tcp" | "tls" | "http2" = "tcp";
  const options = {
    ...({ host, port, ALPNProtocols: ["h2"], minVersion: "TLSv1.2", rejectUnauthorized: true } as const),
    ...{ autoSelectFamily: true },
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...identity,
    ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
  };
  return new Promise((resolve) => {
    const socket = connect(options);
    const end = (probed: Probed): void => {
      clearTimeout(timer);
      socket.removeAllListeners("data");
      socket.end().destroySoon();
      resolve(probed);
    };
    const fail = (detail: string, code?: string): void => end({ kind: "failed", stage, code, detail });
    const timer = setTimeout(() => {
      fail(`no answer within ${deadlineMs / 1000} s`);
      socket.destroy();
    }, deadlineMs);
    const machine = new ClientConnection<never>({
      capacityChanged() {
        const { maxConcurrentStreams } = machine.peerSettings;
        machine.goaway();
        flush();
        end({
          ...{ kind: "open", ...describeTls(socket) },
          streams: Number.isFinite(maxConcurrentStreams) ? maxConcurrentStreams : undefined,
          tookMs: Math.round(performance.now() - startedMs),
        });
      },
      goaway: ({ code, debug }) => fail(`GOAWAY ${code} ${debug.toString("utf8", 0, mostDebugBytes)}`.trim()),
      broken: ({ detail }) => fail(`it does not speak HTTP/2: ${detail}`),
      response: () => undefined,
      failed: () => undefined,
      pong: () => undefined,
    });
    const flush = (): void => {
      const output = machine.takeOutput();
      if (output !== undefined) socket.write(output);
    };
    socket.once("connect", () => {
      stage = "tls";
    });
    socket.once("secureConnect", () => {
      stage = "http2";
      flush();
    });
    socket.on("data", (chunk: Buffer) => {
      machine.receive(chunk);
      if (!socket.writableEnded) flush();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      const inner = (error as Partial<AggregateError>).errors?.[0] as Error | undefined;
      fail(error.message || inner?.message || String(error.code), error.code);
    });
    socket.once("close", () => fail("the server closed the connection"));
  });
}

const mostLinks = 10;
const mostDebugBytes = 200;

function describeTls(socket: TLSSocket) {
  const chain: string[] = [];
  const own = socket.getPeerX509Certificate();
  for (let link = own; link !== undefined && chain.length < mostLinks; link = link.issuerCertificate)
    chain.push(link.subject);
  return {
    tls: socket.getProtocol() ?? "TLS",
    alpn: socket.alpnProtocol || undefined,
    chain,
    validUntilMs: Date.parse(own?.validTo ?? ""),
    remoteAddress: socket.remoteAddress ?? "",
  };
}
