/** The HTTP API: what callers see of the gateway. */
export { type ApiOptions, createApi } from "./api.ts";
export { openAdminKey } from "./keys/admin-key.ts";
