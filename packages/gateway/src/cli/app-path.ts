import { CommandFailure } from "./command-failure.ts";
import { exitStatus } from "./exit-status.ts";

/** The API's address of the app that --app names. @throws {CommandFailure} it names none */
export function appPath(app: string | undefined): string {
  if (app === undefined)
    throw new CommandFailure(exitStatus.usage, {
      summary: "an app is needed.",
      hint: "Name it with --app; carillon apps list shows which there are.",
    });
  return `/v1/apps/${encodeURIComponent(app)}`;
}
