package bffmobile

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-mobile/internal/problem"
	"github.com/portico-bff/portico/schema/openapi"
)

// document is where the contract lies.
const document = "../schema/openapi/mobile.yaml"

// shown says which golden file the example of a response is. Each response that is
// JSON has its row. After a change of the golden files
//
//	go test ./bff-mobile -run TestExamplesOfTheContractAreAnswers -update
//
// writes them into the contract.
var shown = map[string]string{
	"HomeAnswer": "home", "CategoryAnswer": "category", "SearchAnswer": "search", "ProductAnswer": "product",
	"CartScreenAnswer": "buy-6-screen", "CheckoutAnswer": "checkout-customer", "AccountAnswer": "account", "OrdersAnswer": "orders", "OrderAnswer": "order",
	"CartOpened": "buy-1-create", "CartChanged": "buy-8-shipping", "CartAnswer": "cart", "PreconditionFailed": "problem-precondition-failed", "ShippingOptionsAnswer": "buy-7-options",
	"OrderPlaced": "buy-a-order", "OrderPending": "order-pending",
	"Invalid": "problem-invalid-input", "Unauthenticated": "problem-unauthenticated", "Forbidden": "problem-forbidden", "NotFound": "problem-not-found",
	"MethodNotAllowed": "problem-method", "Conflict": "problem-in-flight", "UnsupportedMedia": "problem-media-type",
	"SyncAnswer": "sync", "SyncExpired": "problem-sync-expired",
	"ConfigAnswer": "config", "UpgradeRequired": "problem-upgrade-required", "KeyReused": "problem-key-reused", "RateLimited": "problem-rate-limited", "Internal": "problem-internal",
	"BadUpstream": "problem-bad-upstream", "Unavailable": "problem-unavailable", "Timeout": "problem-timeout",
}

// unshown are responses of which no test keeps a golden file: those that are given on a
// socket only, and what is no JSON.
var unshown = []string{"ConfigUnchanged", "Contract", "Docs", "DocsFile", "HeaderTooLarge", "NotModified", "ProblemType", "RequestTimeout", "SyncUnchanged", "TooLarge"}

func TestEverythingInTheContractHasAnExampleThatFits(t *testing.T) {
	t.Parallel()
	doc, err := contract()
	require.NoError(t, err)
	fits := func(what string, schema *openapi3.SchemaRef, example any) {
		t.Helper()
		require.NotNil(t, schema, "%s has no schema", what)
		require.NotNil(t, example, "%s has no example", what)
		require.NoError(t, schema.Value.VisitJSON(example, openapi3.EnableJSONSchema2020()), what)
	}
	for name, p := range doc.Components.Parameters {
		fits("parameter "+name, p.Value.Schema, p.Value.Example)
	}
	for name, h := range doc.Components.Headers {
		fits("header "+name, h.Value.Schema, h.Value.Example)
	}
	for name, r := range doc.Components.Responses {
		for kind, media := range r.Value.Content {
			if kind != "image/png" {
				fits("response "+name+" as "+kind, media.Schema, media.Example)
			}
		}
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.RequestBody != nil {
				media := op.RequestBody.Value.Content["application/json"]
				fits("request "+method+" "+path, media.Schema, media.Example)
			}
		}
	}
}

// What is said once cannot differ from what is said elsewhere.
func TestOperationsSayByNameWhatComponentsSay(t *testing.T) {
	t.Parallel()
	doc, err := contract()
	require.NoError(t, err)
	always := []int{400, 405, 408, 413, 415, 431, 500}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			at := method + " " + path
			require.NotEmpty(t, op.OperationID, at)
			for _, p := range op.Parameters {
				require.True(t, strings.HasPrefix(p.Ref, "#/components/parameters/"), "%s: %s", at, p.Value.Name)
			}
			for status, r := range op.Responses.Map() {
				require.True(t, strings.HasPrefix(r.Ref, "#/components/responses/"), "%s: %s", at, status)
			}
			for _, status := range always {
				require.NotNil(t, op.Responses.Status(status), "%s: %d", at, status)
			}
		}
	}
	for name, r := range doc.Components.Responses {
		for header, h := range r.Value.Headers {
			require.Equal(t, "#/components/headers/"+header, h.Ref, name)
		}
		require.Contains(t, r.Value.Headers, "X-Request-Id", name)
	}
}

// Types of problem that are described are in the contract, and none else is.
func TestEveryTypeOfProblemIsInTheContract(t *testing.T) {
	t.Parallel()
	doc, err := contract()
	require.NoError(t, err)
	var have, want []string
	for _, p := range problem.Types {
		want = append(want, problem.Base+p.Name+" "+strconv.Itoa(p.Status)+" "+p.Title)
	}
	for _, r := range doc.Components.Responses {
		media := r.Value.Content[problem.ContentType]
		if media == nil {
			continue
		}
		example, err := json.Marshal(media.Example)
		require.NoError(t, err)
		var p struct {
			Type, Title string
			Status      int
		}
		require.NoError(t, json.Unmarshal(example, &p))
		have = append(have, p.Type+" "+strconv.Itoa(p.Status)+" "+p.Title)
	}
	slices.Sort(have)
	slices.Sort(want)
	require.Equal(t, want, have)
}

// The examples of the contract are answers that were given: those of the golden files.
func TestExamplesOfTheContractAreAnswers(t *testing.T) {
	t.Parallel()
	if *update {
		writeExamples(t)
	}
	doc, err := openapi3.NewLoader().LoadFromFile(document)
	require.NoError(t, err)
	known := slices.Concat(slices.Collect(maps.Keys(shown)), unshown)
	require.ElementsMatch(t, slices.Collect(maps.Keys(doc.Components.Responses)), known)
	for name, file := range shown {
		for _, media := range doc.Components.Responses[name].Value.Content {
			have, err := json.Marshal(media.Example)
			require.NoError(t, err)
			require.JSONEq(t, string(goldenBody(t, file)), string(have), "%s: go test -update", name)
		}
	}
}

// goldenBody is the JSON in a golden file.
func goldenBody(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".golden"))
	require.NoError(t, err)
	_, body, found := bytes.Cut(text, []byte("\n\n"))
	require.True(t, found, name)
	return bytes.TrimSpace(body)
}

// writeExamples puts the golden files' bodies into the contract: of each response that
// has one, what is indented below the line that says so.
func writeExamples(t *testing.T) {
	t.Helper()
	var text bytes.Buffer
	name, inside, skipping := "", false, false
	for line := range strings.Lines(string(openapi.Mobile)) {
		bare := strings.TrimRight(line, "\n")
		if skipping && strings.HasPrefix(bare, exampleIndent) {
			continue
		}
		skipping = false
		text.WriteString(line)
		switch {
		case strings.HasPrefix(bare, "  ") && bare[2] != ' ':
			inside = bare == "  responses:"
		case inside && strings.HasPrefix(bare, "    ") && bare[4] != ' ':
			name = strings.TrimSuffix(bare[4:], ":")
		case inside && bare == "          example:" && shown[name] != "":
			text.WriteString(exampleIndent)
			fold(&text, goldenBody(t, shown[name]), exampleIndent, 0)
			text.WriteByte('\n')
			skipping = true
		}
	}
	require.NoError(t, os.WriteFile(document, text.Bytes(), 0o600))
}

const exampleIndent = "            "

// fold writes JSON with all that fits into a line in one; used is how much of the line
// is taken.
func fold(to *bytes.Buffer, raw json.RawMessage, indent string, used int) {
	const width = 136
	line := oneLine(raw)
	if len(indent)+used+len(line) <= width || raw[0] != '{' && raw[0] != '[' {
		to.WriteString(line)
		return
	}
	in := json.NewDecoder(bytes.NewReader(raw))
	open, _ := in.Token()
	to.WriteString(open.(json.Delim).String())
	for separator := "\n"; in.More(); separator = ",\n" {
		to.WriteString(separator + indent + "  ")
		label := ""
		if open == json.Delim('{') {
			name, _ := in.Token()
			label = strconv.Quote(name.(string)) + ": "
			to.WriteString(label)
		}
		var member json.RawMessage
		_ = in.Decode(&member)
		fold(to, member, indent+"  ", len(label)+1)
	}
	end, _ := in.Token()
	to.WriteString("\n" + indent + end.(json.Delim).String())
}

// oneLine is JSON with a space behind each colon and comma.
func oneLine(raw json.RawMessage) string {
	var text bytes.Buffer
	_ = json.Indent(&text, raw, "", "")
	return strings.NewReplacer("[\n", "[", "{\n", "{", "\n]", "]", "\n}", "}", ",\n", ", ").Replace(text.String())
}
