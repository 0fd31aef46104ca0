/**
 * The gateway under a steady load, with a fault a minute.
 *
 *   npm run soak                     30 minutes
 *   npm run soak -- --minutes 120    longer
 */
import { parseArgs } from "node:util";
import { soak } from "./soak.ts";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "30" }, rate: { type: "string", default: "300" } },
});
const minutes = Number(values.minutes);
const perSecond = Number(values.rate);
if (!(minutes >= 1 && minutes <= 10_000) || !(perSecond >= 1 && perSecond <= 5_000)) {
  console.error("soak: --minutes must be 1 to 10000, --rate 1 to 5000 notifications a second");
  process.exit(2);
}
console.log(
  `soak: ${minutes} minutes, ${perSecond} notifications a second, a fault a minute, Node ${process.version}`,
);
const result = await soak({
  rounds: minutes,
  everyMs: 60_000,
  perSecond,
  begins: (round, fault) => console.log(`minute ${round + 1}: ${fault}`),
});
const { acknowledged, refused, lost, strangeIds, atMostOnceTwice, duplicates, rssMb, openFiles } = result;
const third = Math.ceil(rssMb.length / 3);
console.log(`acknowledged ${acknowledged}, refused or unanswered ${refused}`);
console.log(
  `lost ${lost.length}, under two ids ${strangeIds.length}, at-most-once twice ${atMostOnceTwice.length}`,
);
console.log(`taken twice by Apple's side, at-least-once: ${duplicates}`);
console.log(
  `resident, MB: at most ${Math.max(...rssMb.slice(0, third))} in the first third, ${Math.max(...rssMb.slice(-third))} in the last`,
);
console.log(
  `open files: at most ${Math.max(...openFiles.slice(0, third))} in the first third, ${Math.max(...openFiles.slice(-third))} in the last`,
);
process.exitCode = lost.length + strangeIds.length + atMostOnceTwice.length === 0 ? 0 : 1;
