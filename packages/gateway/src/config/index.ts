/** carillon.yaml and the environment, parsed once, all problems told together. */

export type {
  AppConfig,
  BinaryConfig,
  Config,
  ConfigProblem,
  ConfigWarning,
  Limits,
  LogLevel,
} from "./config.ts";
export { readConfigDocument } from "./config-document.ts";
export { type ConfigSource, type LoadedConfig, loadConfig } from "./load-config.ts";
export { openOldPkcs12 } from "./old-pkcs12.ts";
export { findSchemaProblems, type SchemaProblem } from "./schema-problems.ts";
