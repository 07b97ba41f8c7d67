// Command generate writes what a contract deprecates as Go:
//
//	go run ./generate contract.yaml deprecated.gen.go
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"maps"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// placeholder is how a contract writes a part of a path that varies; a router writes :id.
var placeholder = regexp.MustCompile(`\{(\w+)\}`)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(contract, file string) error {
	doc, err := openapi3.NewLoader().LoadFromFile(contract)
	if err != nil {
		return err
	}
	text, err := render(doc)
	if err != nil {
		return err
	}
	const mode = 0o644
	return os.WriteFile(file, text, mode)
}

// render is the file.
func render(doc *openapi3.T) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("// Code generated from the contract by go generate; DO NOT EDIT.\n\npackage lifecycle\n\n")
	b.WriteString("var deprecated = map[string]deprecation{\n")
	for _, path := range slices.Sorted(maps.Keys(doc.Paths.Map())) {
		operations := doc.Paths.Value(path).Operations()
		for _, method := range slices.Sorted(maps.Keys(operations)) {
			if err := write(&b, method+" "+placeholder.ReplaceAllString(path, ":$1"), operations[method]); err != nil {
				return nil, err
			}
		}
	}
	b.WriteString("}\n")
	return format.Source(b.Bytes())
}

func write(b *bytes.Buffer, name string, op *openapi3.Operation) error {
	var whole, query string
	var err error
	if op.Deprecated {
		if whole, err = notice(name, op.Extensions); err != nil {
			return err
		}
	}
	for _, p := range op.Parameters {
		if !p.Value.Deprecated {
			continue
		}
		if p.Value.In != openapi3.ParameterInQuery {
			return fmt.Errorf("%s: only query parameters can be deprecated, %s is none", name, p.Value.Name)
		}
		text, err := notice(name+" "+p.Value.Name, p.Value.Extensions)
		if err != nil {
			return err
		}
		query += fmt.Sprintf("%q: %s,\n", p.Value.Name, text)
	}
	switch {
	case whole != "" && query != "":
		fmt.Fprintf(b, "%q: {whole: notice%s, query: map[string]notice{\n%s}},\n", name, whole, query)
	case whole != "":
		fmt.Fprintf(b, "%q: {whole: notice%s},\n", name, whole)
	case query != "":
		fmt.Fprintf(b, "%q: {query: map[string]notice{\n%s}},\n", name, query)
	}
	return nil
}

// notice is the days of x-deprecated-at and x-sunset; the first one is required.
func notice(name string, extensions map[string]any) (string, error) {
	at, err := day(name, "x-deprecated-at", extensions)
	if err != nil {
		return "", err
	}
	if at == 0 {
		return "", fmt.Errorf("%s: what is deprecated needs x-deprecated-at", name)
	}
	sunset, err := day(name, "x-sunset", extensions)
	if err != nil {
		return "", err
	}
	if sunset != 0 && sunset < at {
		return "", fmt.Errorf("%s: x-sunset is before x-deprecated-at", name)
	}
	return fmt.Sprintf("{at: %d, sunset: %d}", at, sunset), nil
}

// day is a date of an extension in seconds since 1970, 0 when it is not there.
func day(name, extension string, extensions map[string]any) (int64, error) {
	value, found := extensions[extension]
	if !found {
		return 0, nil
	}
	text, _ := value.(string)
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, fmt.Errorf("%s: %s must be a date in quotes, '2026-11-21'", name, extension)
	}
	return t.Unix(), nil
}
