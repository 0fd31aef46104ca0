/** `carillon`: the gateway as a library. The command line is `carillon serve`. */
export {
  type AppConfig,
  type Config,
  type ConfigProblem,
  type ConfigSource,
  type ConfigWarning,
  type LoadedConfig,
  type LogLevel,
  loadConfig,
} from "./config/index.ts";
export { type Gateway, type GatewayOptions, GatewayStartError, startGateway } from "./gateway.ts";
