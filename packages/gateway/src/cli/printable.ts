/** Text of a stranger as a terminal may show it: without control characters, which could steer it. */
export function printable(text: string): string {
  return text.replaceAll(/\p{C}+/gu, " ").trim();
}
