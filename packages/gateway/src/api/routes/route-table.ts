import type { FastifyInstance, RouteOptions } from "fastify";

/** Knows which addresses there are and which methods they take. */
export class RouteTable {
  readonly #routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];

  /** Notes every route that is registered after this. */
  constructor(server: FastifyInstance) {
    server.addHook("onRoute", ({ url, method }: RouteOptions) => {
      this.#routes.push({ pattern: patternOf(url), methods: [method].flat() });
    });
  }

  /** Sorted; empty where there is nothing at all. */
  allowedMethods(path: string): readonly string[] {
    const methods = this.#routes
      .filter(({ pattern }) => pattern.test(path))
      .flatMap((route) => route.methods);
    return [...new Set(methods)].sort();
  }
}

/** `/v1/apps/:app` as a pattern; a slash at the end makes no difference. */
function patternOf(url: string): RegExp {
  const steps = url
    .split("/")
    .filter((step) => step !== "")
    .map((step) =>
      step.startsWith(":") ? "[^/]+" : step === "*" ? ".*" : step.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"),
    );
  return new RegExp(`^/${steps.join("/")}/?$`);
}
