import { existsSync } from "node:fs";
import { type LoadedConfig, loadConfig } from "../config/index.ts";

const defaultConfigFile = "carillon.yaml";

/** What the flag `--config` says of itself. */
export const configFlagHelp = `configuration (default: CARILLON_CONFIG, or ${defaultConfigFile} here, or the environment alone)`;

export interface FoundConfig {
  readonly loaded: LoadedConfig;
  /** Undefined where everything comes from the environment. */
  readonly file: string | undefined;
}

/** Reads the configuration from where `--config`, CARILLON_CONFIG or habit says. */
export function findConfig(flag: string | undefined): FoundConfig {
  const { CARILLON_CONFIG = "" } = process.env;
  const file = flag ?? (CARILLON_CONFIG === "" ? undefined : CARILLON_CONFIG) ?? findDefault();
  return { file, loaded: loadConfig({ file, environment: process.env, folder: process.cwd() }) };
}

/** What to do where there is no file at all. */
export const noConfigHint = `There is no ${defaultConfigFile} here: name a file with --config, or set CARILLON_… variables.`;

function findDefault(): string | undefined {
  return existsSync(defaultConfigFile) ? defaultConfigFile : undefined;
}
