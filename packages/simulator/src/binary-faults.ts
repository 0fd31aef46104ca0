import type { GatewayConnection } from "./binary/index.ts";
import type { FaultyProtocol, ProtocolAction, RequestAtHand } from "./connection-faults.ts";

export interface BinaryRequestAtHand extends RequestAtHand {
  /** 0 where the frame has none. */
  readonly identifier: number;
}

/** What a scenario can do to a connection of the binary gateway beside what it can do to any. */
export class BinaryFaults implements FaultyProtocol<BinaryRequestAtHand> {
  readonly name = "binary";
  private readonly gateway: GatewayConnection;
  private readonly lastIdentifier: () => number | undefined;

  /** @param lastIdentifier of the last notification that was taken */
  constructor(gateway: GatewayConnection, lastIdentifier: () => number | undefined) {
    this.gateway = gateway;
    this.lastIdentifier = lastIdentifier;
  }

  stop(): void {
    this.gateway.refuse();
  }

  perform(action: ProtocolAction, request: BinaryRequestAtHand | undefined): void {
    switch (action.kind) {
      case "errorResponse":
        this.gateway.fail({
          status: action.status,
          identifier: this.resolve(action.identifier, request),
        });
        break;
      case "bytes":
        this.gateway.writeRaw(action.bytes);
        break;
      default:
      // HTTP/2's own.
    }
  }

  private resolve(identifier: number | "this" | "last", request: BinaryRequestAtHand | undefined): number {
    if (typeof identifier === "number") return identifier;
    return (identifier === "this" ? request?.identifier : undefined) ?? this.lastIdentifier() ?? 0;
  }
}
