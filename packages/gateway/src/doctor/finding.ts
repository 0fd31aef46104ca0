/** One thing that was looked at. */
export type Finding = Found &
  (
    | { readonly level: "ok" }
    /** It works, or will not for long: somebody should know. */
    | { readonly level: "warning"; readonly remedy: string }
    | {
        readonly level: "problem";
        /** What to do about it. */
        readonly remedy: string;
        /** Where it lies: in what was configured, or in something that did not answer. */
        readonly cause: "configuration" | "unreachable";
      }
  );

interface Found {
  /** "configuration", "data folder", "clock", "app demo", "bridge" or "sender". */
  readonly about: string;
  /** What is so. Holds no secret. */
  readonly what: string;
}

/** Makes the findings about one thing. */
export interface Say {
  ok(what: string): Finding;
  warning(what: string, remedy: string): Finding;
  problem(what: string, remedy: string): Finding;
  unreachable(what: string, remedy: string): Finding;
}

export function sayAbout(about: string): Say {
  return {
    ok: (what) => ({ level: "ok", about, what }),
    warning: (what, remedy) => ({ level: "warning", about, what, remedy }),
    problem: (what, remedy) => ({ level: "problem", about, what, remedy, cause: "configuration" }),
    unreachable: (what, remedy) => ({ level: "problem", about, what, remedy, cause: "unreachable" }),
  };
}
