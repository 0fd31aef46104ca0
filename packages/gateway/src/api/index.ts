/** The HTTP API: what callers see of the gateway. */
export { createApi } from "./api.ts";
export { openAdminKey } from "./keys/admin-key.ts";
