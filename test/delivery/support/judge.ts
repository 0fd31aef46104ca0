import type { Acknowledged } from "./load.ts";
import type { Delivered } from "./simulators.ts";

/** Holds what Apple has seen against what was acknowledged. */
export function judge({ atLeastOnce, atMostOnce }: Acknowledged, delivered: readonly Delivered[]) {
  const byDevice = new Map<string, Delivered[]>();
  for (const each of delivered) {
    const known = byDevice.get(each.deviceToken);
    if (known === undefined) byDevice.set(each.deviceToken, [each]);
    else known.push(each);
  }
  const strangeIds: string[] = [];
  const twiceInOneLife: string[] = [];
  const atMostOnceTwice: string[] = [];
  const repeatedAfter = new Map<number, number>();
  let duplicates = 0;
  for (const [device, all] of byDevice) {
    const id = atLeastOnce.get(device) ?? atMostOnce.get(device) ?? all[0]?.apnsId;
    if (all.some(({ apnsId }) => apnsId !== id)) strangeIds.push(device);
    if (new Set(all.map(({ life }) => life)).size < all.length) twiceInOneLife.push(device);
    if (all.length > 1 && atMostOnce.has(device)) atMostOnceTwice.push(device);
    for (const { life } of all.slice(0, -1)) repeatedAfter.set(life, (repeatedAfter.get(life) ?? 0) + 1);
    duplicates += all.length - 1;
  }
  return {
    devices: byDevice.size,
    duplicates,
    /** Of one life, the most that were sent again in a later one. */
    mostAtOnce: Math.max(0, ...repeatedAfter.values()),
    lost: [...atLeastOnce.keys()].filter((device) => !byDevice.has(device)),
    /** Ids of those at-most-once that Apple never saw. */
    neverLeft: [...atMostOnce].filter(([device]) => !byDevice.has(device)).map(([, id]) => id),
    strangeIds,
    twiceInOneLife,
    atMostOnceTwice,
  };
}
