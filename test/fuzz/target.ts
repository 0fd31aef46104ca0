/** Something that takes the bytes of a stranger. */
export interface Target {
  /** Takes one input; throws where a promise is broken. */
  run(input: Buffer): void;
  /** Inputs to begin with. */
  readonly seeds: readonly Buffer[];
  /** Where the frames of an input begin. */
  readonly framesAt: number;
  /** Scripts whose coverage guides the run, by parts of their URLs. */
  readonly watched: readonly string[];
}
