export { checkScenario, readScenario } from "./read-scenario.ts";
export type { Problem } from "./reader.ts";
export type { Action, FaultAnswer, Protocol, TlsVariant } from "./scenario.ts";
export type { ActionDocument, RuleDocument, ScenarioDocument } from "./scenario-document.ts";
export { type ScenarioEvent, ScenarioRun } from "./scenario-run.ts";
