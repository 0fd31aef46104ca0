/** The outside world as small interfaces: time, chance, and where messages go. */
export { ApnsError, type ApnsErrorCode } from "./apns-error.ts";
export { type Clock, systemClock, type Timer } from "./clock.ts";
export { type Logger, silentLogger } from "./logger.ts";
export { type Random, systemRandom } from "./random.ts";
export { TurnTime } from "./turn-time.ts";
