import { constants, createReadStream, fstatSync, openSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable } from "node:stream";

export type ReadInput =
  | { readonly kind: "read"; readonly bytes: Buffer }
  | { readonly kind: "refused"; readonly detail: string };

/** More than any payload, key or bundle of certificates has. */
const mostBytes = 1024 * 1024;

/**
 * Reads a file that a flag names; `-` is standard input. A pipe, as in `<(command)`, will do as well as a file. Gives up when
 * the signal fires: a writer that never comes to an end holds nobody up.
 */
export async function readInputFile(file: string, signal: AbortSignal): Promise<ReadInput> {
  try {
    return await readWhole(file === "-" ? process.stdin : openInput(file), signal);
  } catch (error) {
    return { kind: "refused", detail: explain(error as NodeJS.ErrnoException) };
  }
}

function openInput(file: string): Readable {
  // Without O_NONBLOCK a named pipe that has no writer would block a thread, and with it the end of this process.
  const descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  const facts = fstatSync(descriptor);
  return facts.isFIFO() || facts.isSocket()
    ? new Socket({ fd: descriptor, readable: true, writable: false })
    : createReadStream(file, { fd: descriptor });
}

async function readWhole(stream: Readable, signal: AbortSignal): Promise<ReadInput> {
  const chunks: Buffer[] = [];
  let length = 0;
  const giveUp = (): void => void stream.destroy(new Error("it did not come to an end in time"));
  if (signal.aborted) giveUp();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > mostBytes)
        return { kind: "refused", detail: "This is larger than 1 MiB: it is another file." };
      chunks.push(chunk);
    }
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
  return { kind: "read", bytes: Buffer.concat(chunks) };
}

function explain({ code, message }: NodeJS.ErrnoException): string {
  if (code === "ENOENT") return "There is no such file. Correct the path.";
  if (code === "EACCES")
    return "This user may not read the file. Give it the right to, or name another file.";
  if (code === "EISDIR") return "This is a folder. Name a file in it.";
  return `It cannot be read: ${message}.`;
}
