/** Asks the control API every second what is new, and has it drawn. */
export const mainScript = `
import { drawChosen, drawConnections, drawList, followKeys, markChosen } from "./inspector.js";
import { drawLockScreen, tick } from "./lock-screen.js";
import { make } from "./reading.js";

const everyMs = 1000;
const mostMs = 5000;
const mostPushes = 200;
const byId = (id) => document.getElementById(id);

let pushes = [];
let known = "";
let chosen;

async function ask(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(mostMs) });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

/** The pushes are asked for only where their number says that they changed. */
async function look() {
  const device = byId("device").value;
  const which = device === "" ? "" : "&deviceToken=" + encodeURIComponent(device);
  const { total, matching } = await ask("/history?limit=1" + which);
  const state = [total, matching, device].join();
  if (state !== known) {
    const answer = await ask("/history?limit=" + mostPushes + which);
    pushes = answer.pushes.reverse();
    known = [answer.total, answer.matching, device].join();
    byId("total").textContent = answer.matching > pushes.length ? "newest " + pushes.length + " of " + answer.matching : String(pushes.length);
    offerDevices();
    drawLockScreen(pushes, choose);
    drawList(pushes, choose);
    if (pushes.some(({ sequence }) => sequence === chosen)) markChosen(chosen);
    else if (pushes.length > 0 && chosen === undefined) choose(pushes[0].sequence);
  }
  drawConnections((await ask("/connections")).connections);
}

function choose(sequence) {
  const push = pushes.find((each) => each.sequence === sequence);
  if (push === undefined) return;
  chosen = sequence;
  markChosen(sequence);
  drawChosen(push);
}

/** The devices of the pushes shown; those offered before stay. */
function offerDevices() {
  const select = byId("device");
  const offered = new Set([...select.options].map(({ value }) => value));
  for (const { deviceToken } of pushes) {
    if (deviceToken === undefined || offered.has(deviceToken) || offered.size > mostPushes) continue;
    offered.add(deviceToken);
    const option = make("option", "", deviceToken.slice(0, 8) + "…" + deviceToken.slice(-4));
    option.value = deviceToken;
    select.append(option);
  }
}

function say(state, words) {
  const element = byId("state");
  if (element.dataset.state === state) return;
  element.dataset.state = state;
  element.textContent = words;
}

let next;
let isLooking = false;

async function go() {
  clearTimeout(next);
  if (isLooking) return;
  isLooking = true;
  try {
    await look();
    say("live", "live");
  } catch {
    say("lost", "The simulator does not answer; asking again …");
  }
  isLooking = false;
  tick();
  next = setTimeout(go, everyMs);
}

byId("device").addEventListener("change", go);
followKeys(choose);
tick();
go();
`;
