/** The list of pushes, the chosen one in full, and the connections. */
export const inspectorScript = `
import { arrange, make, parse, readPush } from "./reading.js";

const mostConnections = 50;
const mostIndented = 50_000;
const byId = (id) => document.getElementById(id);
const clockTime = (ms) => new Date(ms).toLocaleTimeString([], { hourCycle: "h23" });

export function drawList(pushes, choose) {
  byId("no-pushes").hidden = pushes.length > 0;
  arrange(byId("list"), pushes.map((push) => [String(push.sequence), () => drawRow(push, choose)]));
}

function drawRow(push, choose) {
  const seen = readPush(push);
  const row = make("button", "row", [
    make("span", "verdict", seen.isRefused ? seen.verdict : seen.isWithheld ? "no answer" : "200"),
    make("span", "about", seen.title || seen.body || seen.pushType),
    make("span", "from", seen.appName + " · " + seen.pushType),
    make("span", "at", clockTime(Date.parse(push.at))),
  ]);
  row.type = "button";
  row.classList.toggle("refused", seen.isRefused);
  row.classList.toggle("withheld", seen.isWithheld);
  row.addEventListener("click", () => choose(push.sequence));
  return make("li", "", [row]);
}

/** Up and down, Home and End move through the list and choose. */
export function followKeys(choose) {
  byId("list").addEventListener("keydown", (event) => {
    const rows = [...byId("list").querySelectorAll("button")];
    const at = rows.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (next === undefined || rows[next] === undefined) return;
    event.preventDefault();
    rows[next].focus();
    choose(Number(rows[next].parentElement.dataset.key));
  });
}

export function markChosen(sequence) {
  for (const item of document.querySelectorAll("#list > li, #banners > li")) {
    const isChosen = item.dataset.key === String(sequence);
    item.firstChild.toggleAttribute("data-chosen", isChosen);
    if (isChosen) item.firstChild.setAttribute("aria-current", "true");
    else item.firstChild.removeAttribute("aria-current");
  }
}

export function drawChosen(push) {
  const seen = readPush(push);
  const verdict = make("p", "judgement", seen.isWithheld ? "no answer (by the scenario)" : seen.verdict);
  verdict.classList.toggle("refused", seen.isRefused);
  verdict.classList.toggle("withheld", seen.isWithheld);
  byId("chosen").replaceChildren(
    verdict,
    facts([
      ["device token", push.deviceToken],
      ["channel", push.channelId],
      ["topic", push.topic],
      ["push type", push.pushType],
      ["apns-id", push.apnsId],
      ["came", push.at],
      ["on", "connection " + push.connection + ", stream " + push.stream],
    ]),
    make("h3", "", "Payload"),
    payload(push),
    make("h3", "", "Headers"),
    facts(Object.entries(push.headers).map(([name, value]) => [name, shorten(name, value)])),
  );
}

function payload(push) {
  if (push.payload === undefined) return code("Not UTF-8; in base64:\\n" + push.payloadBase64);
  const value = parse(push.payload);
  const indented = value === undefined ? push.payload : JSON.stringify(value, null, 2);
  // Brackets in brackets make megabytes of spaces.
  return code((indented.length > mostIndented ? push.payload : indented) || "(empty)");
}

function code(words) {
  const element = make("pre", "", words);
  element.tabIndex = 0;
  return element;
}

/** A provider token is a secret, and this may be seen by many on a wall. */
function shorten(name, value) {
  return name === "authorization" ? value.slice(0, 14) + "… (" + value.length + " characters)" : value;
}

function facts(pairs) {
  const list = make("dl");
  for (const [name, value] of pairs) if (value !== undefined) list.append(make("dt", "", name), make("dd", "", value));
  return list;
}

export function drawConnections(connections) {
  const newest = connections.slice(-mostConnections).reverse();
  byId("connections").hidden = newest.length === 0;
  byId("no-connections").hidden = newest.length > 0;
  byId("open-connections").textContent = connections.filter(isOpen).length + " open";
  byId("connection-rows").replaceChildren(...newest.map(connectionRow));
}

const isOpen = (connection) => connection.closedAtMs === undefined;

function connectionRow(connection) {
  const row = make("tr", isOpen(connection) ? "open" : "closed");
  for (const cell of [
    connection.number,
    isOpen(connection) ? "open" : "closed " + clockTime(connection.closedAtMs),
    connection.sender + (connection.port === "channels" ? " (channels)" : ""),
    connection.requests,
    connection.pings,
    connection.goaways.length,
    connection.tls,
    clockTime(connection.openedAtMs),
    connection.fault ?? "",
  ])
    row.append(make("td", "", String(cell)));
  return row;
}
`;
