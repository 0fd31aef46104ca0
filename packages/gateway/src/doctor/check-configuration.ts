import type { LoadedConfig } from "../config/index.ts";
import { type Finding, sayAbout } from "./finding.ts";

const say = sayAbout("configuration");

/** What the loader says of the files; what it warns of and other checks look at more closely is left to them. */
export function checkConfiguration(loaded: LoadedConfig): readonly Finding[] {
  if (loaded.kind === "invalid")
    return loaded.problems.map(({ where, path, detail }) => {
      const [what, remedy] = splitSentence(detail);
      return say.problem([where, path, what].filter((part) => part !== "").join("  "), remedy);
    });
  const { config, warnings } = loaded;
  const apps = config.apps.length === 1 ? "1 app" : `${config.apps.length} apps`;
  const bridge = config.binary === undefined ? "no bridge" : "a bridge";
  return [
    say.ok(`can be read: ${apps}, ${bridge}`),
    ...warnings.flatMap(({ kind, detail }) => {
      if (kind === "expired" || kind === "old-tls") return [];
      const [what, remedy] = splitSentence(detail);
      return [say.warning(what, remedy)];
    }),
  ];
}

/** The first sentence says what is wrong, the others what to do. */
function splitSentence(detail: string): readonly [what: string, remedy: string] {
  const end = detail.search(/[.:] (?=[A-Z])/);
  return end === -1 ? [detail, "Correct it and look again."] : [detail.slice(0, end), detail.slice(end + 2)];
}
