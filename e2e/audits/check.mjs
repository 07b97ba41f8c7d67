// Compares the schema with the one of the last release:
//
//   node check.mjs ../../schema/graphql/released/schema.graphql ../../schema/graphql
//
// Prints what is dangerous and what breaks, and exits 1 when anything breaks.
import { findBreakingChanges, findDangerousChanges } from "graphql";
import { read } from "./schema.mjs";

const [released, current] = process.argv.slice(2).map(read);
const dangerous = findDangerousChanges(released, current);
const breaking = findBreakingChanges(released, current);

for (const change of dangerous) {
  console.log(`dangerous  ${change.type}  ${change.description}`);
}
for (const change of breaking) {
  console.log(`BREAKING   ${change.type}  ${change.description}`);
}
console.log(`${breaking.length} breaking and ${dangerous.length} dangerous changes since the last release`);
if (breaking.length > 0) {
  console.log("Deprecate instead, or release a new major version (make schema-release).");
  process.exitCode = 1;
}
