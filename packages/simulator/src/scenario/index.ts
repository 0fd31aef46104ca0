export { readScenario } from "./read-scenario.ts";
export type { Problem } from "./reader.ts";
export type { Action, FaultAnswer, Scenario, ScenarioRule, TlsVariant, Withheld } from "./scenario.ts";
export { ScenarioRun } from "./scenario-run.ts";
