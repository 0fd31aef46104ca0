// Does what the README's reader does: `npm start`, pastes the printed curl line, reads the answer, presses Ctrl-C.
// Fails loudly, with everything that was printed, when any of it does not work.

import { spawn, spawnSync } from "node:child_process";

const startDeadlineMs = 240_000; // a first start installs and builds
const stopDeadlineMs = 30_000;

let printed = "";
const started = spawn("npm", ["start"], { detached: true, stdio: ["ignore", "pipe", "pipe"] });
const exited = new Promise((resolve) => started.once("exit", (code, signal) => resolve({ code, signal })));
const curlLine = new Promise((resolve) => {
  const read = (chunk) => {
    printed += chunk;
    process.stdout.write(chunk);
    const line = printed
      .split("\n")
      .find((each) => each.trim().startsWith("curl ") && printed.includes(`${each}\n`));
    if (line !== undefined) resolve(line.trim());
  };
  started.stdout.setEncoding("utf8").on("data", read);
  started.stderr.setEncoding("utf8").on("data", read);
});

const line = await within(startDeadlineMs, Promise.race([curlLine, exited]), "a curl line");
if (typeof line !== "string")
  fail(`npm start ended with ${JSON.stringify(line)} before it printed a curl line`);

const pasted = spawnSync("bash", ["-c", line], { encoding: "utf8" });
console.log(`\n$ ${line}\n${pasted.stdout}${pasted.stderr}`);
if (pasted.status !== 0) fail(`the pasted line ended with ${pasted.status}`);
if (!/"status":\s*"accepted"/.test(pasted.stdout))
  fail("the pasted line was not answered with an accepted notification");

process.kill(-started.pid, "SIGINT");
const end = await within(stopDeadlineMs, exited, "the end after Ctrl-C");
if (end.code !== 0) fail(`npm start ended with ${JSON.stringify(end)} after Ctrl-C`);
console.log("first push: accepted; Ctrl-C: clean");

function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${ms / 1000} s`)), ms);
  });
  return Promise.race([promise, late])
    .catch((error) => fail(error.message))
    .finally(() => clearTimeout(timer));
}

function fail(why) {
  console.error(`\nfirst push failed: ${why}`);
  try {
    process.kill(-started.pid, "SIGKILL");
  } catch {
    // it is gone already
  }
  process.exit(1);
}
