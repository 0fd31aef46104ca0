/** Reads server-sent events (HTML Standard, "Server-sent events"), as far as a gateway writes them. */
export class EventStreamReader {
  /** Where to go on. */
  cursor: string | undefined;
  #rest = "";
  readonly #heard: (data: string) => void;

  constructor(heard: (data: string) => void, cursor?: string) {
    this.#heard = heard;
    this.cursor = cursor;
  }

  /** The next piece of the text, cut anywhere. */
  read(text: string): void {
    const blocks = (this.#rest + text).split("\n\n");
    this.#rest = blocks.pop() ?? "";
    for (const block of blocks) this.#readBlock(block);
  }

  #readBlock(block: string): void {
    for (const line of block.split("\n")) if (line.startsWith("data: ")) this.#heard(line.slice(6));
    for (const line of block.split("\n")) if (line.startsWith("id: ")) this.cursor = line.slice(4);
  }
}
