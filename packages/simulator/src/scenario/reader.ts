/** One thing that is wrong with a document, and where. */
export interface Problem {
  /** Such as `/rules/0/do/0/goaway/code`. */
  readonly path: string;
  readonly detail: string;
}

/**
 * Reads one value of a document made of plain objects, and collects what is wrong with it. Every method gives its fallback
 * where the value is not what it should be, so that one pass finds all problems.
 */
export class Reader {
  readonly value: unknown;
  readonly path: string;
  private readonly problems: Problem[];

  constructor(value: unknown, path: string, problems: Problem[]) {
    this.value = value;
    this.path = path;
    this.problems = problems;
  }

  get isThere(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  wrong(detail: string): void {
    this.problems.push({ path: this.path === "" ? "/" : this.path, detail });
  }

  /** A member; that of something that is no object is not there. */
  member(name: string): Reader {
    const holder = isObject(this.value) && Object.hasOwn(this.value, name) ? this.value[name] : undefined;
    return new Reader(holder, `${this.path}/${name}`, this.problems);
  }

  /** Whether it is an object with none but these members; each other one is a problem. */
  object(known: readonly string[]): boolean {
    if (!isObject(this.value)) {
      this.wrong("must be an object");
      return false;
    }
    for (const name of Object.keys(this.value)) {
      if (known.includes(name)) continue;
      this.member(name.slice(0, 40)).wrong(`is not known; there are ${known.join(", ")}`);
    }
    return true;
  }

  /** The items of a list, or the value itself as the only one. */
  items(most: number): Reader[] {
    if (!Array.isArray(this.value)) return this.isThere ? [this] : [];
    if (this.value.length > most) this.wrong(`has ${this.value.length} items: ${most} at most`);
    return this.value.slice(0, most).map((item, at) => new Reader(item, `${this.path}/${at}`, this.problems));
  }

  whole(least: number, most: number, fallback: number): number {
    const { value } = this;
    if (!this.isThere) return fallback;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most)
      return value;
    this.wrong(`must be a whole number from ${least} to ${most}`);
    return fallback;
  }

  oneOf<Text extends string>(texts: readonly Text[], fallback: Text): Text {
    if (!this.isThere) return fallback;
    const found = texts.find((text) => text === this.value);
    if (found === undefined) this.wrong(`must be ${texts.map((text) => `"${text}"`).join(" or ")}`);
    return found ?? fallback;
  }

  text(mostCharacters: number): string | undefined {
    if (!this.isThere) return undefined;
    if (typeof this.value === "string" && this.value.length <= mostCharacters) return this.value;
    this.wrong(`must be a text of at most ${mostCharacters} characters`);
    return undefined;
  }

  /** An object of texts. */
  texts(): Record<string, string> | undefined {
    if (!this.isThere) return undefined;
    if (isObject(this.value) && Object.values(this.value).every((text) => typeof text === "string")) {
      return this.value as Record<string, string>;
    }
    this.wrong("must be an object whose values are texts");
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
