import { ApnsError } from "../../runtime/index.ts";
import type { ApnsPayload } from "../apns-payload.ts";
import { Draft, type PayloadData } from "./draft.ts";

/**
 * The payload that wakes the app without a person noticing: `{"aps": {"content-available": 1}, …data}`. The system grants about two
 * or three of these an hour; it goes out with priority 5.
 *
 * Source: Apple, "Pushing background updates to your App".
 *
 * @throws ApnsError `bad-notification` where `data` contains `aps`
 */
export function backgroundPayload(data?: PayloadData): ApnsPayload {
  return new Draft("backgroundPayload").finish("background", { "content-available": 1 }, data);
}

/**
 * The payload of pushes that only the app reads: `{"aps": {}, …data}`, for the push types `voip`, `pushtotalk`, `location` and
 * `complication`. Name the push type with the notification; the topic follows from it.
 *
 * @throws ApnsError `bad-notification` where `data` contains `aps`
 */
export function dataPayload(data?: PayloadData): ApnsPayload {
  return new Draft("dataPayload").finish("voip", {}, data);
}

/**
 * The payload that reloads widgets (push type `widgets`) or a control (push type `controls`): `{"aps": {"content-changed": true}}`.
 * Name the push type with the notification: the payload does not tell which of the two is meant.
 *
 * Source: Apple, "Updating widgets with WidgetKit push notifications" and "Updating controls locally and remotely".
 */
export function contentChangedPayload(): ApnsPayload {
  return { aps: { "content-changed": true } };
}

/**
 * The payload that makes a device ask its MDM server: `{"mdm": PushMagic}` and nothing else.
 *
 * @param pushMagic from the device's TokenUpdate message
 * @throws ApnsError `bad-notification` for an empty one
 */
export function mdmPayload(pushMagic: string): { readonly mdm: string } {
  if (typeof pushMagic !== "string" || pushMagic === "")
    throw refused("mdmPayload", "pushMagic", "must be the PushMagic of the device's TokenUpdate message");
  return { mdm: pushMagic };
}

/** The payload that makes Wallet fetch a pass again: `{}`. The topic is the pass type identifier, and there is no push type. */
export function walletPayload(): Readonly<Record<string, never>> {
  return {};
}

export interface FileProviderPayloadOptions {
  /** Identifier of the container that changed. */
  readonly containerIdentifier: string;
  /** Where the app adds domains. */
  readonly domain?: string;
}

/** The payload that tells a File Provider extension of changes: `{"container-identifier": …, "domain": …}`. */
export function fileProviderPayload(options: FileProviderPayloadOptions): ApnsPayload {
  const { containerIdentifier, domain } = options;
  for (const [name, value] of Object.entries({ containerIdentifier, domain: domain ?? "" }))
    if (typeof value !== "string") throw refused("fileProviderPayload", name, "must be a string");
  return { "container-identifier": containerIdentifier, ...(domain === undefined ? {} : { domain }) };
}

export interface SafariPayloadOptions {
  readonly title: string;
  readonly body: string;
  /** Label of the button. @default Safari's own */
  readonly action?: string;
  /** What is put into the placeholders of the website's `urlFormatString`, in order. */
  readonly urlArgs: readonly string[];
}

/**
 * The payload for a website in Safari up to version 15: `{"aps": {"alert": {title, body, action}, "url-args": […]}}`. Safari 16 and
 * newer take Web Push, which is another protocol.
 *
 * Source: Apple, "Configuring Safari Push Notifications".
 *
 * @throws ApnsError `bad-notification`, whose `problems` name the options
 */
export function safariPayload(options: SafariPayloadOptions): ApnsPayload {
  const draft = new Draft("safariPayload");
  draft.checkNames(options, ["title", "body", "action", "urlArgs"]);
  const { title, body, action, urlArgs } = options;
  for (const [name, value] of Object.entries({ title, body, action: action ?? "" }))
    if (typeof value !== "string") draft.refuse(name, "must be a string");
  if (urlArgs === undefined)
    draft.refuse("urlArgs", "must be there, or Safari drops the push; [] where the URL has no placeholders");
  const alert = action === undefined ? { title, body } : { title, body, action };
  return draft.finish("alert", { alert, "url-args": urlArgs }, undefined);
}

function refused(builder: string, field: string, detail: string): ApnsError {
  return new ApnsError("bad-notification", `${builder}: ${field} ${detail}`, [{ field, detail }]);
}
