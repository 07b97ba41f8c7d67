// Command generate writes what the contract says of what clients send as Go, for package
// api: go run . <contract> <file>.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/format"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: generate <contract> <file>")
	}
	contract, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	code, err := generate(contract)
	if err != nil {
		return err
	}
	return os.WriteFile(args[1], code, 0o600)
}

// generate is the Go code for a contract.
func generate(contract []byte) ([]byte, error) {
	doc, err := openapi3.NewLoader().LoadFromData(contract)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background(), openapi3.DisableExamplesValidation()); err != nil {
		return nil, err
	}
	var code bytes.Buffer
	code.WriteString("// Code generated from the contract by internal/rules/generate. DO NOT EDIT.\n\npackage api\n\n" +
		"import \"github.com/portico-bff/portico/bff-mobile/internal/rules\"\n\n" +
		"// Operations is what the contract says that clients may send, by operation.\nvar Operations = []rules.Operation{\n")
	w := writer{Buffer: &code}
	for _, path := range slices.Sorted(maps.Keys(doc.Paths.Map())) {
		operations := doc.Paths.Value(path).Operations()
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			if op := operations[method]; op != nil {
				w.operation(method, path, op)
			}
		}
	}
	code.WriteString("}\n")
	if err := errors.Join(w.errs...); err != nil {
		return nil, err
	}
	return format.Source(code.Bytes())
}

// writer writes rules; what the contract leaves open is an error: every input has its
// limits.
type writer struct {
	*bytes.Buffer
	errs []error
}

func (w *writer) fail(at, what string) { w.errs = append(w.errs, fmt.Errorf("%s: %s", at, what)) }

func (w *writer) operation(method, path string, op *openapi3.Operation) {
	fmt.Fprintf(w, "{ID: %q, Method: %q, Path: %q,\n", op.OperationID, method, path)
	if reads, _ := op.Extensions["x-read"].(bool); reads || method == "GET" {
		w.WriteString("Reads: true,\n")
	}
	w.parameters("Params", openapi3.ParameterInPath, op)
	w.parameters("Query", openapi3.ParameterInQuery, op)
	w.parameters("Headers", openapi3.ParameterInHeader, op)
	if op.RequestBody != nil {
		body := op.RequestBody.Value
		media := body.Content["application/json"]
		if media == nil {
			w.fail(op.OperationID, "the body is not application/json")
			return
		}
		w.WriteString("Body: ")
		w.schema(op.OperationID, media.Schema.Value)
		w.WriteString(",\n")
		if body.Required {
			w.WriteString("BodyRequired: true,\n")
		}
	}
	w.WriteString("},\n")
}

func (w *writer) parameters(label, in string, op *openapi3.Operation) {
	var some bool
	for _, ref := range op.Parameters {
		p := ref.Value
		if p.In != in || in == openapi3.ParameterInHeader && free(p) {
			continue
		}
		if !some {
			fmt.Fprintf(w, "%s: []rules.Parameter{\n", label)
		}
		some = true
		at := op.OperationID + ": " + p.Name
		fmt.Fprintf(w, "{Name: %q, ", p.Name)
		if p.Required {
			w.WriteString("Required: true, ")
		}
		if p.Schema.Value.Default != nil {
			fmt.Fprintf(w, "Default: %q, ", fmt.Sprint(p.Schema.Value.Default))
		}
		w.WriteString("Schema: ")
		w.schema(at, p.Schema.Value)
		w.WriteString("},\n")
	}
	if some {
		w.WriteString("},\n")
	}
}

// free tells whether a header may hold anything: the server bounds headers as a whole.
func free(p *openapi3.Parameter) bool {
	s := p.Schema.Value
	return !p.Required && s.Type.Is(openapi3.TypeString) && s.MaxLength == nil && s.Pattern == "" && len(s.Enum) == 0
}

// schema writes a pointer to a schema.
func (w *writer) schema(at string, s *openapi3.Schema) {
	w.WriteString("&rules.Schema{")
	switch {
	case s.Type.Is(openapi3.TypeString):
		w.text(at, s)
	case s.Type.Is(openapi3.TypeInteger):
		if s.Min == nil || s.Max == nil {
			w.fail(at, "a number needs minimum and maximum")
			break
		}
		fmt.Fprintf(w, "Kind: rules.Whole, Min: %d, Max: %d", int64(*s.Min), int64(*s.Max))
	case s.Type.Is(openapi3.TypeBoolean):
		w.WriteString("Kind: rules.Flag")
	case s.Type.Is(openapi3.TypeArray):
		if s.MaxItems == nil {
			w.fail(at, "a list needs maxItems")
			break
		}
		fmt.Fprintf(w, "Kind: rules.List, MinItems: %d, MaxItems: %d, Items: ", s.MinItems, *s.MaxItems)
		w.schema(at+"[]", s.Items.Value)
	case s.Type.Is(openapi3.TypeObject):
		w.object(at, s)
	default:
		w.fail(at, "a value of this type is not known")
	}
	w.WriteString("}")
}

func (w *writer) text(at string, s *openapi3.Schema) {
	w.WriteString("Kind: rules.Text")
	if s.MinLength > 0 {
		fmt.Fprintf(w, ", MinLength: %d", s.MinLength)
	}
	if s.MaxLength != nil {
		fmt.Fprintf(w, ", MaxLength: %d", *s.MaxLength)
	}
	if s.Pattern != "" {
		fmt.Fprintf(w, ", Pattern: %s", literal(s.Pattern))
	}
	if must, _ := s.Extensions["x-must"].(string); must != "" {
		fmt.Fprintf(w, ", Must: %q", must)
	}
	if len(s.Enum) > 0 {
		w.WriteString(", Enum: []string{")
		for _, value := range s.Enum {
			fmt.Fprintf(w, "%q, ", fmt.Sprint(value))
		}
		w.WriteString("}")
	}
	if s.MaxLength == nil && s.Pattern == "" && len(s.Enum) == 0 {
		w.fail(at, "a text needs maxLength, pattern or enum")
	}
}

func (w *writer) object(at string, s *openapi3.Schema) {
	if s.AdditionalProperties.Has == nil || *s.AdditionalProperties.Has {
		w.fail(at, "an object needs additionalProperties: false")
	}
	w.WriteString("Kind: rules.Object, Fields: []rules.Field{\n")
	names := make([]string, 0, len(s.Properties))
	for name := range s.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(w, "{Name: %q, ", name)
		if slices.Contains(s.Required, name) {
			w.WriteString("Required: true, ")
		}
		w.WriteString("Schema: ")
		w.schema(at+"."+name, s.Properties[name].Value)
		w.WriteString("},\n")
	}
	w.WriteString("}")
}

// literal is a pattern as Go writes it, without escapes where that is possible.
func literal(pattern string) string {
	if strings.Contains(pattern, "`") {
		return strconv.Quote(pattern)
	}
	return "`" + pattern + "`"
}
