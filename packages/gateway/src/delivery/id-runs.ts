/** Ids that follow each other in one batch: all but the last four digits of each, the first place, and how many. */
export type IdRun = readonly [batch: string, place: number, count: number];

/** Many ids in little room, in their order: those of one submission mostly follow each other. */
export function packIds(ids: readonly string[]): IdRun[] {
  const runs: [string, number, number][] = [];
  let last: [string, number, number] | undefined;
  for (const id of ids) {
    const batch = id.slice(0, -4);
    const place = Number.parseInt(id.slice(-4), 16);
    if (last !== undefined && last[0] === batch && last[1] + last[2] === place) last[2] += 1;
    else {
      last = [batch, place, 1];
      runs.push(last);
    }
  }
  return runs;
}

/** The ids that `packIds` was given. */
export function unpackIds(runs: readonly IdRun[]): string[] {
  return runs.flatMap(([batch, place, count]) =>
    Array.from({ length: count }, (_, index) => batch + (place + index).toString(16).padStart(4, "0")),
  );
}
