import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Simulator } from "@carillon/simulator";
import ts from "typescript";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

type Apple = Pick<Simulator, "endpoint" | "port" | "ca">;

export type Library = "@carillon/apns" | "@parse/node-apn" | "apns2";

/**
 * The TypeScript of one library on a page, as one module. A block belongs to the library that its first line names, else to
 * Carillon; the first block of a library sets the stage, each further one is a scope of its own.
 */
export async function readGuide(page: string, library: Library): Promise<string> {
  const text = await readFile(join(root, page), "utf8");
  const blocks = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1] ?? "");
  const [stage = "", ...scenes] = blocks.filter((block) => libraryOf(block) === library);
  return [stage, ...scenes.map((scene) => `{\n${scene}}\n`)].join("\n");
}

function libraryOf(block: string): string {
  return /^\/\/ (\S+)\n/.exec(block)?.[1] ?? "@carillon/apns";
}

/** What the compiler has against modules, each told with its name; empty where they are right. */
export function typeCheck(modules: ReadonlyMap<string, string>): string[] {
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2023,
    lib: ["lib.es2023.d.ts"],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ["node"],
  };
  // As if they lay in this folder, where the workspace's packages are found.
  const files = new Map(
    [...modules].map(([name, text]) => [join(root, "test", `guide-${name.replace(/\W+/g, "-")}.ts`), text]),
  );
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile: read, getSourceFile } = host;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => files.get(path) ?? read(path);
  host.getSourceFile = (path, ...rest) => {
    const text = files.get(path);
    return text === undefined
      ? getSourceFile(path, ...rest)
      : ts.createSourceFile(path, text, ts.ScriptTarget.ES2023);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`,
    );
}

/** Runs a module in a process of its own, in the folder where the key file lies that the guides name, with `apple` in place of Apple. */
export async function run(module: string, library: Library, folder: string, apple: Apple): Promise<string> {
  try {
    await writeFile(join(folder, "library.mjs"), standIns[library](apple));
    const js = ts.transpileModule(module, {
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
      },
    }).outputText;
    await writeFile(join(folder, "guide.mjs"), js.replace(`from "${library}"`, 'from "./library.mjs"'));
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ["guide.mjs"], {
      cwd: folder,
      timeout: 60_000,
    });
    return stdout + stderr;
  } finally {
    for (const file of ["library.mjs", "guide.mjs"]) await rm(join(folder, file), { force: true });
  }
}

/** Each library as it is, except that its client connects to this Apple and trusts it. */
const standIns: Readonly<Record<Library, (apple: Apple) => string>> = {
  "@carillon/apns": ({ endpoint, ca }) => `
    import { ApnsClient as Real } from "${moduleUrl("packages/apns/dist/index.js")}";
    export * from "${moduleUrl("packages/apns/dist/index.js")}";
    export class ApnsClient extends Real {
      constructor({ environment, ...options }) {
        super({ ...options, endpoint: ${JSON.stringify(endpoint)}, ca: ${JSON.stringify(ca)} });
      }
    }`,
  "@parse/node-apn": ({ port, ca }) => `
    import apn from "${moduleUrl("node_modules/@parse/node-apn/index.js")}";
    class Provider extends apn.Provider {
      constructor(options) {
        super({
          ...options, address: "localhost", port: ${port}, ca: [${JSON.stringify(ca)}],
          manageChannelsAddress: "localhost", manageChannelsPort: ${port},
        });
      }
    }
    export default { ...apn, Provider };`,
  apns2: ({ port, ca }) => `
    import { ApnsClient as Real } from "${moduleUrl("node_modules/apns2/dist/esm/index.js")}";
    export * from "${moduleUrl("node_modules/apns2/dist/esm/index.js")}";
    export class ApnsClient extends Real {
      constructor(options) {
        super({ ...options, host: "localhost" });
        // It always connects to port 443: the same pool for this port.
        const { constructor: Pool } = this.client;
        this.client = new Pool("https://localhost:${port}", {
          connections: 32, pipelining: 1, allowH2: true, maxConcurrentStreams: 100,
          connect: { ca: ${JSON.stringify(ca)} },
        });
      }
    }`,
};

function moduleUrl(path: string): string {
  return pathToFileURL(join(root, path)).href;
}
