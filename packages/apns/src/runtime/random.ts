/** A number from 0 (included) to 1 (excluded), for jitter; nothing secret depends on it. */
export type Random = () => number;

export const systemRandom: Random = Math.random;
