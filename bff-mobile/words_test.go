package bffmobile

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// numbersAlone are numbers of screens that are not told in words.
var numbersAlone = map[string]string{
	"Review.rating":         "is drawn, as stars",
	"Degraded.ageMs":        "is for programs",
	"Degraded.retryAfterMs": "is for programs",
}

// spoken has fn look at each object that an answer with this schema may hold.
func spoken(s *openapi3.SchemaRef, name string, seen map[string]bool, fn func(name string, of *openapi3.Schema)) {
	if s.Ref != "" {
		name = s.Ref[strings.LastIndex(s.Ref, "/")+1:]
		if seen[name] {
			return
		}
		seen[name] = true
	}
	if s.Value.Items != nil {
		spoken(s.Value.Items, name, seen, fn)
	}
	if len(s.Value.Properties) > 0 {
		fn(name, s.Value)
	}
	for at, p := range s.Value.Properties {
		spoken(p, name+"."+at, seen, fn)
	}
}

// Whatever a screen counts it tells as people read it, too, and whatever happened on a day as
// that day.
func TestEveryNumberOfAScreenIsToldInWords(t *testing.T) {
	t.Parallel()
	alone := map[string]bool{}
	seen := map[string]bool{}
	for _, op := range screensOf(t) {
		schema := op.Responses.Status(200).Value.Content["application/json"].Schema
		spoken(schema, op.OperationID, seen, func(name string, of *openapi3.Schema) {
			for at, p := range of.Properties {
				switch {
				case p.Value.Type.Is(openapi3.TypeInteger), p.Value.Type.Is(openapi3.TypeNumber):
					if _, known := numbersAlone[name+"."+at]; known {
						alone[name+"."+at] = true
						continue
					}
					assert.Contains(t, of.Properties, at+"Text", name)
				case p.Value.Format == "date-time":
					assert.Contains(t, of.Properties, strings.TrimSuffix(at, "At")+"On", name)
				}
			}
		})
	}
	assert.Greater(t, len(seen), 20)
	assert.Len(t, alone, len(numbersAlone), "some are not there any more")
}

// inWords looks for numbers with a text beside them, and holds the one against the other.
func inWords(t *testing.T, value any, locale string) (found int) {
	t.Helper()
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			found += inWords(t, item, locale)
		}
	case map[string]any:
		for name, of := range value {
			if number, ok := of.(json.Number); ok && numbersAlone["Review."+name] == "" && numbersAlone["Degraded."+name] == "" {
				found++
				want := number.String()
				if name == "average" {
					continue // is rounded
				}
				assert.Equal(t, commerce.FormatNumber(want, locale), value[name+"Text"], name)
			}
			found += inWords(t, of, locale)
		}
	}
	return found
}

func TestWordsSayWhatTheNumbersDo(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.filled(t)
	ann := []string{"Authorization", "Bearer C1", "X-Channel", "eu", "Accept-Language", "fr"}
	for path, least := range map[string]int{
		"/v1/screens/categories/kitchen": 3, "/v1/screens/search": 4, "/v1/screens/products/MUG-RED": 3, "/v1/screens/cart/" + guestCart: 3,
		"/v1/screens/checkout/" + guestCart: 2, "/v1/screens/account": 4, "/v1/orders": 2, "/v1/orders/000000007": 1,
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			headers := ann
			if strings.Contains(path, guestCart) {
				headers = nil
			}
			a := s.checked(t, get(path, headers...))
			require.Equal(t, 200, a.Status, a.Raw)
			var answer any
			decoder := json.NewDecoder(strings.NewReader(a.Raw))
			decoder.UseNumber()
			require.NoError(t, decoder.Decode(&answer))
			require.GreaterOrEqual(t, inWords(t, answer, a.Header.Get("Content-Language")), least, a.Raw)
		})
	}
}

// Facets are those of the whole list, so that its first page has said them.
func TestFacetsComeWithTheFirstPage(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, list := range []string{"/v1/screens/search?first=1", "/v1/screens/categories/kitchen?first=1"} {
		var page struct {
			Products struct {
				EndCursor     string
				Total         int
				Items, Facets []any
			}
		}
		read := func(target string) {
			t.Helper()
			page.Products.Facets = nil
			require.NoError(t, json.Unmarshal([]byte(s.checked(t, get(target)).Raw), &page))
			require.Len(t, page.Products.Items, 1)
			require.Greater(t, page.Products.Total, 1)
		}
		read(list)
		require.NotEmpty(t, page.Products.Facets, list)
		read(list + "&after=" + page.Products.EndCursor)
		require.Empty(t, page.Products.Facets, list)
	}
}
