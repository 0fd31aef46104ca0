/** Draws the newest pushes as the lock screen of an iPhone would. */
export const lockScreenScript = `
import { arrange, make, readPush, tellClock, tellTime } from "./reading.js";

const mostBanners = 40;
const hues = 8;
const byId = (id) => document.getElementById(id);

export function drawLockScreen(pushes, choose) {
  const taken = new Set();
  const shown = [];
  for (const push of pushes) {
    const seen = readPush(push);
    if (seen.slot !== undefined && taken.has(seen.slot)) continue;
    if (seen.slot !== undefined) taken.add(seen.slot);
    shown.push([String(push.sequence), () => draw(push, seen, choose)]);
    if (shown.length === mostBanners) break;
  }
  arrange(byId("banners"), shown);
  byId("no-banners").hidden = shown.length > 0;
}

/** What passes without a push. */
export function tick() {
  const now = new Date();
  byId("clock").textContent = tellClock(now).replace(/\\s*[AP]M$/i, "");
  byId("date").textContent = now.toLocaleDateString([], { weekday: "long", month: "long", day: "numeric" });
  for (const time of document.querySelectorAll("time[data-ages]")) time.textContent = tellTime(time.dateTime);
}

function draw(push, seen, choose) {
  const isBanner = seen.kind === "banner";
  const button = make("button", isBanner ? "banner" : "line", isBanner ? banner(push, seen) : line(push, seen));
  button.type = "button";
  button.classList.toggle("refused", seen.isRefused);
  button.addEventListener("click", () => choose(push.sequence));
  return make("li", "", [button]);
}

function banner(push, seen) {
  const title = seen.title || seen.appName;
  return [
    icon(push, seen),
    make("span", "words", [
      make("span", "above", [make("span", "app", seen.appName), time(push)]),
      seen.level === "time-sensitive" || seen.level === "critical"
        ? make("span", "level", seen.level.replace("-", " "))
        : undefined,
      stranger("title", title),
      seen.subtitle ? stranger("subtitle", seen.subtitle) : undefined,
      seen.body ? stranger("body", seen.body) : undefined,
      tell(seen),
    ]),
  ];
}

function line(push, seen) {
  const what = [seen.pushType, seen.does].filter((each) => each !== "").join(" · ");
  return [
    make("span", "dot"),
    make("span", "app", seen.appName),
    make("span", "what", seen.isRefused ? seen.pushType + " · " + seen.verdict : what),
    time(push),
  ];
}

function tell(seen) {
  if (seen.isRefused) return make("span", "reason", "Refused: " + seen.verdict);
  if (seen.isWithheld) return make("span", "reason", "Never answered, by the scenario");
  return seen.pushType === "alert" ? undefined : make("span", "kind", seen.pushType);
}

function icon(push, seen) {
  const picture = make("span", "icon hue-" + hueOf(push.topic ?? ""), [[...seen.appName][0] ?? "?"]);
  picture.setAttribute("aria-hidden", "true");
  if (seen.badge > 0 && !seen.isRefused)
    picture.append(make("span", "badge", seen.badge > 9999 ? "9999+" : String(seen.badge)));
  return picture;
}

function hueOf(topic) {
  let sum = 0;
  for (const letter of topic) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  return sum % hues;
}

function stranger(className, words) {
  const element = make("span", className, words);
  element.dir = "auto";
  return element;
}

function time(push) {
  const element = make("time", "", tellTime(push.at));
  element.dateTime = push.at;
  element.dataset.ages = "";
  return element;
}
`;
