import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";

const description = `
Carillon puts a notification on disk, delivers it to Apple, and tells what became of it.

Every call to \`/v1\` carries \`Authorization: Bearer <key>\`. The first key stands in \`admin.key\` in the data folder.
Every refusal is \`application/problem+json\`: \`errors\` lists all that is wrong, each with a pointer and what to do about it.
`.trim();

/** Everything that the page needs comes from here; it runs no inline script and loads nothing from elsewhere. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** `/openapi.json`, made of the schemas of the routes that are registered after this, and `/docs`, a page that shows it. */
export async function documentationRoutes(server: FastifyInstance, version: string): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "Carillon", version, description },
      components: { securitySchemes: { key: { type: "http", scheme: "bearer" } } },
      tags: [
        { name: "notifications", description: "Send, and see what became of it" },
        { name: "apps", description: "How the apps are doing, and stopping them" },
        { name: "outcomes", description: "What became of notifications, device tokens and routes" },
        { name: "webhooks", description: "The same, posted to an address of yours" },
        { name: "operation", description: "For orchestrators and newcomers; no key needed" },
      ],
    },
  });
  await server.register(swaggerUi, {
    routePrefix: "/docs",
    staticCSP: pagePolicy,
    theme: { title: "Carillon: HTTP API" },
    uiConfig: { layout: "BaseLayout", deepLinking: true, tryItOutEnabled: true, persistAuthorization: false },
  });
  server.get("/openapi.json", { schema: { hide: true } }, () => server.swagger());
}
