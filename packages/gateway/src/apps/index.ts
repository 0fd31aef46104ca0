/** The apps that may send: each app's credentials become its ways to Apple. */
export { type App, Apps } from "./apps.ts";
