export { findPageFile, type PageFile, pagePolicy } from "./page-files.ts";
