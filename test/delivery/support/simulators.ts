import { type Simulator, startSimulator } from "@carillon/simulator";

/** What a client of a simulator must know. */
interface SimulatorAddress extends Pick<Simulator, "endpoint" | "ca"> {
  readonly credentials: Simulator["credentials"]["token"];
}

/**
 * A process with several simulators, one for each data folder of the kill test: Apple, which goes on when gateways die.
 * Started with their number in argv; sends `Opened`, then answers `Question`s.
 */
export interface Opened {
  readonly simulators: readonly SimulatorAddress[];
}

/** Asks for all pushes that simulator `index` has taken, once those of `expected` are among them or time is up. */
export interface Question {
  readonly index: number;
  /** Device tokens. */
  readonly expected: readonly string[];
}

/** One accepted push. */
export interface Delivered {
  readonly deviceToken: string;
  readonly apnsId: string;
  /** Which provider token it came with, counted from 0 in the order of their first push. Each gateway signs its own. */
  readonly life: number;
}

export interface Report {
  readonly index: number;
  readonly delivered: readonly Delivered[];
}

const waitMs = 30_000;
const lookEveryMs = 20;

const simulators = await Promise.all(
  Array.from({ length: Number(process.argv[2]) }, () => startSimulator({ history: { limit: 2_000_000 } })),
);

process.on("message", (question: Question) => {
  const deadlineMs = performance.now() + waitMs;
  const missing = new Set(question.expected);
  let seen = 0;
  const look = (): void => {
    const delivered = deliveredTo(question.index);
    for (const { deviceToken } of delivered.slice(seen)) missing.delete(deviceToken);
    seen = delivered.length;
    if (missing.size > 0 && performance.now() < deadlineMs) setTimeout(look, lookEveryMs);
    else process.send?.({ index: question.index, delivered } satisfies Report);
  };
  look();
});
process.on("disconnect", () => process.exit());
process.send?.({
  simulators: simulators.map(({ endpoint, ca, credentials }) => ({
    endpoint,
    ca,
    credentials: credentials.token,
  })),
} satisfies Opened);

function deliveredTo(index: number): Delivered[] {
  const lives = new Map<string, number>();
  const delivered: Delivered[] = [];
  for (const { status, deviceToken = "", apnsId, fields } of simulators[index]?.history.pushes ?? []) {
    if (status !== 200) continue;
    const authorization = fields[fields.indexOf("authorization") + 1] ?? "";
    const life = lives.get(authorization) ?? lives.size;
    lives.set(authorization, life);
    delivered.push({ deviceToken, apnsId, life });
  }
  return delivered;
}
