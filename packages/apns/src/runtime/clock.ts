/** The time, as everything in this package asks for it. Tests bring their own. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z; may jump. */
  now(): number;
  /** Milliseconds from an arbitrary start; never goes back. */
  monotonic(): number;
  /** Calls `fire` once, not before `ms` have passed. */
  setTimer(fire: () => void, ms: number): Timer;
}

export interface Timer {
  cancel(): void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (fire, ms) => {
    const timer = setTimeout(fire, Math.min(ms, 2_147_483_647));
    return { cancel: () => clearTimeout(timer) };
  },
};
