import { isIP } from "node:net";
import { judgeAddress, type Network, parseNetwork } from "./address-rules.ts";

/** Where webhooks may go, as the operator configures it. */
export interface ReceiverSettings {
  /** Without TLS, which anybody on the way can read. @default false */
  readonly allowHttp?: boolean;
  /** Ports beside 443, and 80 where http is allowed. */
  readonly allowPorts?: readonly number[] | "any";
  /** Networks beside the open internet, such as `10.0.0.0/8`; their form was checked. */
  readonly allowNetworks?: readonly string[];
  /** Trust anchors (PEM) beside Node's own. */
  readonly ca?: string;
}

export type CheckedUrl =
  | { readonly kind: "allowed"; readonly url: URL }
  | { readonly kind: "refused"; readonly detail: string };

export type CheckedAddresses =
  | { readonly kind: "allowed"; readonly addresses: readonly string[] }
  | { readonly kind: "refused"; readonly detail: string };

/** Which addresses webhooks may be sent to. Asked when an endpoint is made, and before every connection. */
export class ReceiverPolicy {
  readonly #allowHttp: boolean;
  readonly #allowPorts: readonly number[] | "any";
  readonly #allowNetworks: readonly Network[];

  constructor({ allowHttp = false, allowPorts = [], allowNetworks = [] }: ReceiverSettings) {
    this.#allowHttp = allowHttp;
    this.#allowPorts = allowPorts;
    this.#allowNetworks = allowNetworks.flatMap((text) => parseNetwork(text) ?? []);
  }

  /**
   * Judges all that an address tells before it is looked up. Odd spellings of IPv4 (`0x7f.1`, `2130706433`, octal) are
   * read as a URL is read everywhere (WHATWG URL, "host parsing"), so that what is judged is what would be connected to.
   */
  checkUrl(text: string): CheckedUrl {
    const refused = (detail: string): CheckedUrl => ({ kind: "refused", detail });
    if (!URL.canParse(text)) return refused("This is no address. Write https://host/path.");
    const url = new URL(text);
    if (url.protocol === "http:" && !this.#allowHttp)
      return refused("This must be https. For http set webhooks.allowHttp in the configuration.");
    if (url.protocol !== "https:" && url.protocol !== "http:") return refused("This must be https://….");
    if (url.username !== "" || url.password !== "")
      return refused(
        "A name or password may not stand in the address. Verify the signature instead; it proves who sends.",
      );
    if (url.hash !== "")
      return refused("What stands behind # is never sent to a server. Take it out of the address.");
    const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
    if (!this.#mayUsePort(port))
      return refused(
        `Port ${port} is not allowed. Use 443, or add the port to webhooks.allowPorts in the configuration.`,
      );
    const literal = literalAddress(url);
    if (literal !== undefined) {
      const checked = this.checkAddresses([literal]);
      if (checked.kind === "refused") return checked;
    }
    return { kind: "allowed", url };
  }

  /** All of them or none: a name with one private address is refused as a whole. */
  checkAddresses(addresses: readonly string[]): CheckedAddresses {
    if (addresses.length === 0) return { kind: "refused", detail: "The name has no address." };
    for (const address of addresses) {
      const what = judgeAddress(address, this.#allowNetworks);
      if (what === undefined) continue;
      return {
        kind: "refused",
        detail: `${address} is ${what}. If it is meant, add its network to webhooks.allowNetworks in the configuration.`,
      };
    }
    return { kind: "allowed", addresses };
  }

  #mayUsePort(port: number): boolean {
    if (this.#allowPorts === "any" || port === 443) return true;
    return this.#allowPorts.includes(port) || (port === 80 && this.#allowHttp);
  }
}

/** The address that stands in a URL in place of a name. */
export function literalAddress({ hostname }: URL): string | undefined {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return isIP(host) === 0 ? undefined : host;
}
