package graphiql

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed examples
var exampleFiles embed.FS

// example is a tab that the page opens with.
type example struct {
	Query     string `json:"query"`
	Variables string `json:"variables"` // JSON; empty when there are none
}

// Examples are the queries that the page opens with, each a document with its
// variables as JSON, by the name of its file.
func Examples() (map[string][2]string, error) {
	named := map[string][2]string{}
	err := each(func(name string, e example) { named[name] = [2]string{e.Query, e.Variables} })
	return named, err
}

// examples are the tabs in their order.
func examples() ([]example, error) {
	var list []example
	err := each(func(_ string, e example) { list = append(list, e) })
	return list, err
}

func each(use func(name string, e example)) error {
	files, err := fs.Glob(exampleFiles, "examples/*.graphql") // sorted by name
	if err != nil {
		return err
	}
	for _, file := range files {
		query, err := exampleFiles.ReadFile(file)
		if err != nil {
			return err
		}
		variables, err := exampleFiles.ReadFile(strings.TrimSuffix(file, ".graphql") + ".json")
		if err != nil {
			variables = nil // it has none
		}
		name := strings.TrimSuffix(strings.TrimPrefix(file, "examples/"), ".graphql")
		use(name, example{string(query), string(variables)})
	}
	return nil
}
