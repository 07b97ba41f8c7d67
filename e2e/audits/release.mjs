// Writes the schema as it is now, as the one that the next release is compared with:
//
//   node release.mjs ../../schema/graphql ../../schema/graphql/released/schema.graphql
import { writeFileSync } from "node:fs";
import { print, read } from "./schema.mjs";

const [current, released] = process.argv.slice(2);
writeFileSync(released, print(read(current)));
