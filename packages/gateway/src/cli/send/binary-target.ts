import type { Refuse } from "../flag-files.ts";
import { type HostPort, readHostPort } from "../host-port.ts";
import type { SendFlags } from "./send-flags.ts";

/** What the protocol has no place for, or what says something else about where to send. */
const excluded = {
  sandbox: ["--sandbox", "excludes --binary: each says where to send. Keep one."],
  endpoint: ["--endpoint", "excludes --binary: each says where to send. Keep one."],
  key: ["--key", "cannot be used with --binary: it takes --cert and --cert-key, or --p12."],
  topic: ["--topic", "cannot be used with --binary: the certificate is the topic. Leave it out."],
  pushType: ["--push-type", "cannot be used with --binary: it has none. Leave it out."],
  collapseId: ["--collapse-id", "cannot be used with --binary: it has none. Leave it out."],
} as const satisfies Partial<Record<keyof SendFlags, readonly [`--${string}`, string]>>;

/** Where a gateway of the retired protocol is. Undefined without `--binary`, and after any refusal. */
export function readBinaryTarget(flags: SendFlags, refuse: Refuse): HostPort | undefined {
  if (flags.binary === undefined) return undefined;
  for (const name of Object.keys(excluded) as (keyof typeof excluded)[])
    if (flags[name] !== undefined) refuse(excluded[name][0], excluded[name][1]);
  if (flags.priority !== undefined && !["5", "10"].includes(flags.priority))
    refuse("--priority", "must be 5 or 10 with --binary.");
  return readHostPort(flags.binary, "localhost:2195", (detail) => refuse("--binary", detail));
}
