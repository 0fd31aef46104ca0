import helmet from "@fastify/helmet";
import Fastify, { type FastifyInstance } from "fastify";

/** What an answer of the API allows a browser that shows it. */
const policy = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
  // TLS ends before this server, and whoever ends it says whether it stays.
  strictTransportSecurity: false,
};

/** Every answer gets the headers of helmet; a route may set others in their place. */
export async function secureAnswers(server: FastifyInstance): Promise<void> {
  const headers = await helmetHeaders();
  server.addHook("onRequest", (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
}

/** They are the same for every request; helmet works them out anew each time, which is a tenth of what a request costs. */
async function helmetHeaders(): Promise<Record<string, string>> {
  const probe = Fastify();
  await probe.register(helmet, policy);
  probe.get("/bare", { helmet: false }, (_request, reply) => reply.send());
  probe.get("/", (_request, reply) => reply.send());
  const bare = await probe.inject("/bare");
  const { headers } = await probe.inject("/");
  await probe.close();
  const added = Object.entries(headers).filter(([name]) => !(name in bare.headers));
  return Object.fromEntries(added.map(([name, value]) => [name, String(value)]));
}
