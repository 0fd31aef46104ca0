import { once } from "node:events";
import { createServer } from "node:net";
import { readNumber } from "./number-text.ts";

/** A port that a command listens on. */
export interface PortChoice {
  /** What listens there: "the gateway". */
  readonly user: string;
  readonly host: string;
  readonly port: number;
  /** The flag or environment variable that chooses another one. */
  readonly setting: string;
}

/** A port that was typed, `fallback` where none was; 0 takes any free one. */
export function readPort(
  text: string | undefined,
  fallback: number,
  refuse: (detail: string) => void,
): number {
  if (text === undefined || text === "") return fallback;
  return readNumber(text, { least: 0, most: 65_535 }, refuse) ?? fallback;
}

/** A sentence for each port that cannot be had, with the way out, so that one start tells them all. */
export async function findTakenPorts(choices: readonly PortChoice[]): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const { user, host, port, setting } of choices) {
    const code = await tryPort(host, port);
    const wayOut = `Choose another one with ${setting}, such as ${Math.min(port + 1000, 65_535)}; 0 takes any free one.`;
    if (code === "EADDRINUSE")
      problems.push(`Port ${port}, for ${user}, is taken by another program. ${wayOut}`);
    else if (code === "EACCES")
      problems.push(`Port ${port}, for ${user}, may not be used by this user. ${wayOut}`);
  }
  const seen = new Map<number, PortChoice>();
  for (const choice of choices) {
    const other = seen.get(choice.port);
    if (choice.port !== 0 && other !== undefined)
      problems.push(
        `Port ${choice.port} is meant for ${other.user} and for ${choice.user}: give each its own.`,
      );
    seen.set(choice.port, choice);
  }
  return problems;
}

/** Takes the port and gives it back; the code of the error where it cannot be had. */
async function tryPort(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  server.listen({ host, port, exclusive: true });
  try {
    await once(server, "listening");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
  server.close();
  await once(server, "close");
  return undefined;
}
