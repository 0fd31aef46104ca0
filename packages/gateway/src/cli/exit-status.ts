/** How a command ends. The numbers are promises: scripts compare them. */
export const exitStatus = {
  /** Accepted, or done. */
  done: 0,
  /** Apple, or what stands for it, said no. */
  rejected: 1,
  /** What was typed or configured cannot work; nothing was begun. */
  usage: 2,
  /** Unreachable, or not known. */
  unknown: 3,
} as const;

export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];
