// The web channel's schema as its clients see it, from SDL files.
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Kind, buildASTSchema, parse, printSchema } from "graphql";

// Where a client may write a directive. Directives of the SDL alone are between us
// and our generators: they come and go.
const clientLocations = new Set([
  "QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT", "VARIABLE_DEFINITION",
]);

// read answers the schema of an SDL file, or of all *.graphqls files in a folder.
export function read(path) {
  const files = statSync(path).isDirectory()
    ? readdirSync(path).filter((name) => name.endsWith(".graphqls")).sort().map((name) => join(path, name))
    : [path];
  const document = parse(files.map((file) => readFileSync(file, "utf8")).join("\n"));
  const definitions = document.definitions.flatMap((definition) => {
    if (definition.kind !== Kind.DIRECTIVE_DEFINITION) {
      return [definition];
    }
    const locations = definition.locations.filter((location) => clientLocations.has(location.value));
    return locations.length === 0 ? [] : [{ ...definition, locations }];
  });
  return buildASTSchema({ ...document, definitions }, { assumeValidSDL: true });
}

// print writes a schema as one SDL document, ours alone left out.
export function print(schema) {
  return printSchema(schema) + "\n";
}
