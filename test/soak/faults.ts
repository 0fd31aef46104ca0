import type { ScenarioDocument } from "@carillon/simulator";

/** What goes wrong for a while: at Apple's side, or with the gateway itself. */
export type Fault =
  | { readonly name: string; readonly apple: ScenarioDocument }
  | { readonly name: string; readonly gateway: "kill" | "terminate" | "kill-while-starting" };

/** In turn, from the first. */
export const faults: readonly Fault[] = [
  { name: "kill -9", gateway: "kill" },
  {
    name: "GOAWAY after every 200th request",
    apple: { rules: { when: { request: 200 }, do: { goaway: {} } } },
  },
  {
    name: "every push answered 503, to come back in 2 s",
    apple: {
      rules: { do: { answer: { reason: "ServiceUnavailable", headers: { "retry-after": "2" } } } },
    },
  },
  { name: "SIGTERM", gateway: "terminate" },
  {
    name: "one answer in ten never comes, taken or not",
    apple: {
      seed: 1,
      rules: [
        { when: { probability: 0.05 }, do: { silence: { request: "processed" } } },
        { when: { probability: 0.05 }, do: "silence" },
      ],
    },
  },
  {
    name: "the provider key is refused",
    apple: { rules: { do: { answer: { reason: "InvalidProviderToken" } } } },
  },
  {
    name: "nobody listens, and what was open is reset",
    apple: { rules: [{ on: "connect", do: "refuse" }, { do: { close: { how: "rst" } } }] },
  },
  { name: "two kills, one of them while it starts", gateway: "kill-while-starting" },
  {
    name: "the peer falls silent on an open connection",
    apple: { rules: { when: { request: 50 }, do: { stall: { what: "both" } } } },
  },
  {
    name: "streams refused, one in five",
    apple: { seed: 2, rules: { when: { probability: 0.2 }, do: { reset: { code: 7 } } } },
  },
  {
    name: "500 for one in three, and answers a second late",
    apple: {
      seed: 3,
      rules: [
        { when: { probability: 0.3 }, do: { answer: { reason: "InternalServerError" } } },
        { when: { probability: 0.3 }, do: { answer: { delayMs: 1_000 } } },
      ],
    },
  },
  {
    name: "connections reset after the push was taken",
    apple: {
      rules: {
        when: { request: 100 },
        do: [{ silence: { request: "processed" } }, { close: { how: "rst" } }],
      },
    },
  },
];
