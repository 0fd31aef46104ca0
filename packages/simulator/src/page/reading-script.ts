/** Reads a push of the history into what a phone would show of it. All of it is a stranger's text. */
export const readingScript = `
/** What a phone would show. kind: "banner", or "line" where nothing would be seen on the screen. */
export function readPush(push) {
  const payload = parse(push.payload);
  const aps = isObject(payload?.aps) ? payload.aps : {};
  const alert = isObject(aps.alert) ? aps.alert : { body: aps.alert };
  const pushType = text(push.pushType) || "no push type";
  const words = {
    title: text(alert.title) || text(alert["title-loc-key"]),
    subtitle: text(alert.subtitle) || text(alert["subtitle-loc-key"]),
    body: text(alert.body) || text(alert["loc-key"]),
  };
  const isRefused = push.status !== 200;
  const isSeen = words.title !== "" || words.subtitle !== "" || words.body !== "";
  const kind = isSeen && pushType !== "background" ? "banner" : "line";
  return {
    ...words,
    kind,
    pushType,
    appName: nameApp(text(push.topic)),
    badge: Number.isInteger(aps.badge) && aps.badge >= 0 ? aps.badge : undefined,
    level: text(aps["interruption-level"]),
    does: tellQuietly(aps),
    isRefused,
    isWithheld: push.answer === "withheld",
    verdict: isRefused ? push.status + " " + (text(push.reason) || "refused") : "200 accepted",
    // A phone shows the newest banner alone of those that share this.
    slot: isRefused || kind === "line" ? undefined : slotOf(push),
  };
}

function slotOf(push) {
  const collapseId = push.headers["apns-collapse-id"];
  return collapseId === undefined ? undefined : [push.deviceToken, push.topic, collapseId].join("\\n");
}

function tellQuietly(aps) {
  const parts = [];
  if (aps["content-available"] === 1) parts.push("wakes the app");
  if (Number.isInteger(aps.badge)) parts.push("badge " + aps.badge);
  if (aps.sound !== undefined) parts.push("sound");
  if (aps.event !== undefined) parts.push(text(aps.event));
  return parts.join(", ");
}

const topicEndings = /\\.(voip|complication|location-query|voip-ptt|pushkit\\.fileprovider|push-type\\.[a-z]+)$/;

/** com.example.food-truck.voip is "Food Truck". */
function nameApp(topic) {
  const last = topic.replace(topicEndings, "").split(".").at(-1) || "no topic";
  return last.replace(/[-_]+/g, " ").replace(/(^| )\\S/g, (start) => start.toUpperCase());
}

/** "now", minutes, or the time of day. The clock may be the simulator's own. */
export function tellTime(at) {
  const ageMs = Date.now() - Date.parse(at);
  if (ageMs >= -2000 && ageMs < 60_000) return "now";
  if (ageMs >= 0 && ageMs < 3_600_000) return Math.floor(ageMs / 60_000) + "m ago";
  return tellClock(new Date(at));
}

export function tellClock(date) {
  return date.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
}

/** Undefined where it is no JSON. */
export function parse(payload) {
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value) {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** An element with a class, and text that is never taken for markup. */
export function make(name, className, content) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (typeof content === "string") element.textContent = content;
  else if (content !== undefined) element.append(...content.filter((each) => each !== undefined));
  return element;
}

/** Brings the children of \`list\` to \`wanted\`, [key, how to make it], and leaves those that stay as they are. */
export function arrange(list, wanted) {
  const present = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const keys = new Set(wanted.map(([key]) => key));
  for (const [key, child] of present) if (!keys.has(key)) child.remove();
  wanted.forEach(([key, build], at) => {
    const child = present.get(key) ?? build();
    child.dataset.key = key;
    if (list.children[at] !== child) list.insertBefore(child, list.children[at] ?? null);
  });
}
`;
