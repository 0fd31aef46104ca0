import type { Refuse, SendFlags } from "./send-flags.ts";

/** A gateway of the retired protocol. */
export interface BinaryTarget {
  readonly host: string;
  readonly port: number;
}

/** What the protocol has no place for, or what says something else about where to send. */
const excluded = {
  sandbox: ["--sandbox", "excludes --binary: each says where to send. Keep one."],
  endpoint: ["--endpoint", "excludes --binary: each says where to send. Keep one."],
  key: ["--key", "cannot be used with --binary: it takes --cert and --cert-key, or --p12."],
  topic: ["--topic", "cannot be used with --binary: the certificate is the topic. Leave it out."],
  pushType: ["--push-type", "cannot be used with --binary: it has none. Leave it out."],
  collapseId: ["--collapse-id", "cannot be used with --binary: it has none. Leave it out."],
} as const satisfies Partial<Record<keyof SendFlags, readonly [`--${string}`, string]>>;

/** Undefined without `--binary`, and after any refusal. */
export function readBinaryTarget(flags: SendFlags, refuse: Refuse): BinaryTarget | undefined {
  if (flags.binary === undefined) return undefined;
  for (const name of Object.keys(excluded) as (keyof typeof excluded)[])
    if (flags[name] !== undefined) refuse(excluded[name][0], excluded[name][1]);
  if (flags.priority !== undefined && !["5", "10"].includes(flags.priority))
    refuse("--priority", "must be 5 or 10 with --binary.");
  const [, bracketed, name, digits] =
    /^(?:\[([\da-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(flags.binary) ?? [];
  const host = bracketed ?? name;
  const port = Number(digits);
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port };
  refuse("--binary", "must be HOST:PORT, such as localhost:2195.");
  return undefined;
}
