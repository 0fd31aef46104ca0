import { Session } from "node:inspector/promises";

/** Which characters of the watched scripts have ever run, as V8 counts its blocks. */
export class Coverage {
  private readonly session = new Session();
  private readonly watched: readonly string[];
  /** By script: 1 for every character that ran. */
  private readonly covered = new Map<string, Uint8Array>();

  /** @param watched parts of the URLs of the scripts that count */
  constructor(watched: readonly string[]) {
    this.watched = watched;
  }

  async start(): Promise<void> {
    this.session.connect();
    await this.session.post("Profiler.enable");
    await this.session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** How many characters ran since the last call that never ran before. "look" does not remember them. */
  async take(mode: "look" | "remember"): Promise<number> {
    const { result } = await this.session.post("Profiler.takePreciseCoverage");
    let fresh = 0;
    for (const script of result) {
      if (!this.watched.some((part) => script.url.includes(part))) continue;
      const size = Math.max(...script.functions.map(({ ranges }) => ranges[0]?.endOffset ?? 0));
      const ran = new Uint8Array(size);
      // Outer ranges come before those inside them; what did not run paints over what did.
      for (const { ranges } of script.functions)
        for (const { startOffset, endOffset, count } of ranges)
          ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
      const known = this.covered.get(script.url) ?? new Uint8Array(size);
      for (let at = 0; at < Math.min(size, known.length); at += 1)
        if (ran[at] === 1 && known[at] === 0) fresh += 1;
      if (mode === "look") continue;
      for (let at = 0; at < Math.min(size, known.length); at += 1) if (ran[at] === 1) known[at] = 1;
      this.covered.set(script.url, known);
    }
    return fresh;
  }

  /** Share of the watched scripts' characters that ran. */
  get share(): number {
    let all = 0;
    let ran = 0;
    for (const known of this.covered.values()) {
      all += known.length;
      for (const each of known) ran += each;
    }
    return all === 0 ? 0 : ran / all;
  }
}
