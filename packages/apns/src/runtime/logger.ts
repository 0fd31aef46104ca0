/** Where this package tells what an operator may want to know. `console` fits; so does pino behind two lines. */
export interface Logger {
  info(message: string): void;
  warn(message: string): void;
}

export const silentLogger: Logger = { info: () => undefined, warn: () => undefined };
