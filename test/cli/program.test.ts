/** What all commands of the built command line have in common. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { carillon, cleanUp, commandFile, makeFolder, paste, start } from "../support/command-line.ts";

afterAll(cleanUp);

describe.concurrent("the command line", () => {
  const commands = [
    ...["send", "serve", "simulate", "dev", "doctor"],
    ...["apps", "events", "feedback", "webhooks", "why"],
  ];

  test("--help lists the commands that work, and no other", async () => {
    const { status, stdout, stderr } = await carillon(["--help"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const listed = [...stdout.matchAll(/^ {2}([a-z]+) (?:\[.*?\] )?(?:<.*?> )? +\S/gm)].map(
      ([, name]) => name,
    );
    expect(listed).toEqual([...commands, "help"]);
    expect(stdout).toContain("Exit status: 0 accepted or done, 1 rejected, 2 usage");
  });

  test.each(commands)(
    "%s --help has what it does, its flags and an example, in lines that fit",
    async (command) => {
      const { status, stdout } = await carillon([command, "--help"]);
      expect(status).toBe(0);
      expect(stdout).toMatch(new RegExp(`^Usage: carillon ${command}`));
      expect(stdout).toMatch(/^Examples?:\n(.*\n)* {2}.*carillon /m);
      expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(125);
    },
  );

  test("--version is the package's", async () => {
    const manifest = JSON.parse(
      readFileSync(new URL("../../packages/gateway/package.json", import.meta.url), "utf8"),
    );
    expect(await carillon(["--version"])).toMatchObject({ status: 0, stdout: `${manifest.version}\n` });
  });

  test("without a command it shows the help, with status 2", async () => {
    const { status, stdout, stderr } = await carillon([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain("Usage: carillon COMMAND");
  });

  test.each([
    [["sned"], "Did you mean send?"],
    [["serve", "--confg", "x"], "Did you mean --config?"],
    [["dev", "now"], "too many arguments"],
    [["nurse"], "unknown command 'nurse'"],
  ])("%j ends with status 2 and a hint", async (words, hint) => {
    const { status, stdout, stderr } = await carillon(words);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^error: /);
    expect(stderr).toContain(hint);
    expect(stderr).toContain("--help");
  });

  test("there are no colours where nobody looks", async () => {
    const { stdout, stderr } = await carillon(["send"], { environment: { FORCE_COLOR: "1" } });
    expect(stdout + stderr).not.toContain("\u001b");
  });

  test("a full disk under the output is told, with status 3", async () => {
    const { stdout, stderr } = await paste(`node ${commandFile} --version > /dev/full; echo $?`);
    expect(stdout).toBe("3\n");
    expect(stderr).toContain("the output was lost");
  });

  test("what nobody foresaw ends with status 3 and a sentence, not a stack trace", async () => {
    const folder = makeFolder();
    writeFileSync(
      join(folder, "fault.mjs"),
      'process.on("SIGUSR2", () => void Promise.reject(new Error("it broke")));',
    );
    const simulator = start(["simulate", "--port", "0", "--control-port", "0"], {
      folder,
      environment: { NODE_OPTIONS: "--import ./fault.mjs" },
    });
    await simulator.untilPrinted(/Ctrl-C/);
    simulator.signal("SIGUSR2");
    const { status, stderr } = await simulator.ended();
    expect(status).toBe(3);
    expect(stderr).toContain("error: something unforeseen happened: it broke");
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
