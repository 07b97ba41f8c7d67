package bffmobile

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-mobile/internal/fields"
	"github.com/portico-bff/portico/bff-mobile/internal/rest"
	"github.com/portico-bff/portico/schema/commerce"
)

// screensOf the contract are its operations that take fields, with what they answer.
func screensOf(t *testing.T) map[string]*openapi3.Operation {
	t.Helper()
	doc, err := contract()
	require.NoError(t, err)
	list := map[string]*openapi3.Operation{}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			if slices.ContainsFunc(op.Parameters, func(p *openapi3.ParameterRef) bool { return p.Value.Name == fields.Parameter }) {
				list[op.OperationID] = op
			}
		}
	}
	return list
}

func answerOf(op *openapi3.Operation) *openapi3.Schema {
	return op.Responses.Status(http.StatusOK).Value.Content["application/json"].Schema.Value
}

// objectIn is the object that a property holds, or that the items of a list are.
func objectIn(s *openapi3.Schema) *openapi3.Schema {
	if s.Type.Is(openapi3.TypeArray) {
		s = s.Items.Value
	}
	if s.Type.Is(openapi3.TypeObject) {
		return s
	}
	return nil
}

// What can be asked for is what the contract says that the answers have, and what stays is
// what it requires.
func TestFieldsAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	screens := screensOf(t)
	for name, tree := range rest.Screens {
		op := screens[name]
		require.NotNil(t, op, "%s takes no fields in the contract", name)
		want, have := map[string]bool{}, map[string]bool{}
		var walk func(at string, s *openapi3.Schema)
		walk = func(at string, s *openapi3.Schema) {
			for name, p := range s.Properties {
				want[at+name] = at+name == "degraded" || slices.Contains(s.Required, name)
				if below := objectIn(p.Value); below != nil && at+name != "degraded" {
					walk(at+name+".", below)
				}
			}
		}
		walk("", answerOf(op))
		tree.Walk(func(path string, stays bool) { have[path] = stays })
		require.Equal(t, want, have, name)
		for _, p := range op.Parameters {
			if p.Value.Name == fields.Parameter {
				set, err := fields.Parse(tree, p.Value.Example.(string))
				require.NoError(t, err, name)
				require.NotEmpty(t, set.String(), name)
			}
		}
		delete(screens, name)
	}
	require.Empty(t, screens)
}

// Nobody is asked for what is not wanted, so that whoever cannot answer it does not matter.
func TestFieldsSpareCalls(t *testing.T) {
	t.Parallel()
	const home, kitchen, mug, search = "/v1/screens/home", "/v1/screens/categories/kitchen", "/v1/screens/products/MUG-RED", "/v1/screens/search"
	const cart = "/v1/screens/cart/" + guestCart
	for target, asked := range map[string][]commerce.Operation{
		home + "?fields=page(title)":                        {commerce.OpPages},
		home + "?fields=categories":                         {commerce.OpCategoryTree},
		home + "?fields=featured(sku)":                      {commerce.OpSearch, commerce.OpProducts},
		home + "?fields=featured(price),page":               {commerce.OpSearch, commerce.OpProducts, commerce.OpPrices, commerce.OpPages},
		home + "?fields=featured(inStock)":                  {commerce.OpSearch, commerce.OpProducts, commerce.OpAvailability},
		home + "?fields=degraded":                           nil,
		kitchen + "?fields=description":                     {commerce.OpCategoryTree},
		kitchen + "?fields=products(facets)":                {commerce.OpCategoryTree, commerce.OpSearch},
		kitchen + "?fields=products(items)":                 {commerce.OpCategoryTree, commerce.OpSearch, commerce.OpProducts, commerce.OpPrices, commerce.OpAvailability},
		search + "?fields=products(endCursor)":              {commerce.OpSearch},
		search + "?fields=products(items(image))":           {commerce.OpSearch, commerce.OpProducts},
		search + "?fields=products(items(price(unit)))":     {commerce.OpSearch, commerce.OpProducts, commerce.OpPrices},
		mug + "?fields=sku":                                 {commerce.OpProducts},
		mug + "?fields=price,availability(inStock)":         {commerce.OpProducts, commerce.OpPrices, commerce.OpAvailability},
		mug + "?fields=breadcrumbs":                         {commerce.OpProducts, commerce.OpCategoryTree},
		mug + "?fields=reviews(count),related(brand)":       {commerce.OpProducts, commerce.OpReviews, commerce.OpRelated},
		cart + "?fields=cart(coupon)":                       {commerce.OpCartRead},
		cart + "?fields=cart(lines(image(alt)))":            {commerce.OpCartRead, commerce.OpProducts},
		cart + "?fields=cart(lines(available))":             {commerce.OpCartRead, commerce.OpAvailability},
		"/v1/screens/account?fields=addresses":              {commerce.OpCustomer},
		"/v1/screens/account?fields=profile(phone),loyalty": {commerce.OpCustomer, commerce.OpLoyalty},
		"/v1/screens/account?fields=orders(total)":          {commerce.OpOrders},
		"/v1/orders?fields=endCursor":                       {commerce.OpOrders},
		"/v1/orders/000000007?fields=shipments":             {commerce.OpOrder},
	} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			s.filled(t)
			s.ResetCalls()
			var headers []string
			if strings.Contains(target, "account") || strings.Contains(target, "/orders") {
				headers = []string{"Authorization", "Bearer C1"}
			}
			every := []commerce.Operation{
				commerce.OpProducts, commerce.OpRelated, commerce.OpCategoryTree, commerce.OpPages, commerce.OpReviews, commerce.OpSearch, commerce.OpPrices,
				commerce.OpAvailability, commerce.OpOrders, commerce.OpOrder, commerce.OpCustomer, commerce.OpLoyalty, commerce.OpCartRead,
			}
			for _, op := range every {
				if !slices.Contains(asked, op) {
					s.Fail(op, commerce.ErrUnavailable)
				}
			}
			a := s.checked(t, get(target, headers...))
			require.Equal(t, http.StatusOK, a.Status, a.Raw)
			require.Empty(t, degradedOf(t, a), a.Raw)
			for _, op := range every {
				require.Equal(t, slices.Contains(asked, op), s.Calls(op) > 0, op)
			}
		})
	}
}

// sampled makes up a text that a client may send for an object, and what of it it wants.
func sampled(r *rand.Rand, of *openapi3.Schema, depth int) (string, map[string]any) {
	names := make([]string, 0, len(of.Properties))
	for name := range of.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	var items []string
	want := map[string]any{}
	for range 1 + r.IntN(4) {
		name := names[r.IntN(len(names))]
		below := objectIn(of.Properties[name].Value)
		if below == nil || depth == 5 || name == "degraded" || r.IntN(2) == 0 {
			items = append(items, name)
			want[name] = true
			continue
		}
		text, sub := sampled(r, below, depth+1)
		items = append(items, name+"("+text+")")
		want[name] = merged(want[name], sub)
	}
	return strings.Join(items, ","), want
}

func merged(have any, more map[string]any) any {
	old, ok := have.(map[string]any)
	switch {
	case have == nil:
		return more
	case !ok:
		return true
	}
	for name, sub := range more {
		below, deeper := sub.(map[string]any)
		if !deeper || old[name] == true {
			old[name] = true
		} else {
			old[name] = merged(old[name], below)
		}
	}
	return old
}

// trimmed takes out of whole what is neither wanted nor required.
func trimmed(whole any, of *openapi3.Schema, want any) any {
	if list, ok := whole.([]any); ok {
		left := []any{}
		for _, item := range list {
			left = append(left, trimmed(item, of, want))
		}
		return left
	}
	object, ok := whole.(map[string]any)
	if !ok || want == true || of == nil {
		return whole
	}
	wants, _ := want.(map[string]any)
	left := map[string]any{}
	for name, value := range object {
		if wants[name] != nil || slices.Contains(of.Required, name) {
			left[name] = trimmed(value, objectIn(of.Properties[name].Value), wants[name])
		}
	}
	return left
}

// Whatever is asked for, the answer fits the contract and is the whole one without what is
// neither wanted nor required.
func TestTrimmedAnswersStillFitTheContract(t *testing.T) {
	t.Parallel()
	screens := screensOf(t)
	s := open(t)
	s.filled(t)
	for name, path := range map[string]string{
		"homeScreen": "/v1/screens/home", "categoryScreen": "/v1/screens/categories/kitchen", "searchScreen": "/v1/screens/search", "productScreen": "/v1/screens/products/MUG-RED",
		"cartScreen": "/v1/screens/cart/" + guestCart, "checkoutScreen": "/v1/screens/checkout/" + guestCart, "accountScreen": "/v1/screens/account", "listOrders": "/v1/orders", "readOrder": "/v1/orders/000000007",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var headers []string
			if screens[name].Security != nil || name == "readOrder" {
				headers = []string{"Authorization", "Bearer C1"}
			}
			var whole any
			require.NoError(t, json.Unmarshal([]byte(s.checked(t, get(path, headers...)).Raw), &whole))
			r := rand.New(rand.NewPCG(6, 6)) //nolint:gosec // made-up texts
			for range 60 {
				text, want := sampled(r, answerOf(screens[name]), 1)
				a := s.checked(t, get(path+"?fields="+text, headers...))
				require.Equal(t, http.StatusOK, a.Status, a.Raw)
				expected, err := json.Marshal(trimmed(whole, answerOf(screens[name]), want))
				require.NoError(t, err)
				require.JSONEq(t, string(expected), a.Raw, text)
			}
		})
	}
}

// However it is written, what asks for the same is kept once, and never answered to who
// asks for something else.
func TestSpellingsOfFieldsAreOneCopy(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	const path = "/v1/screens/products/MUG-RED?fields="
	names := []string{"price(unit)", "reviews(count)", "related", "brand", "sku", "price(list)", "related(sku)", "reviews(average)"}
	first := s.checked(t, get(path+strings.Join(names, ",")))
	require.Equal(t, "miss", s.how(t))
	s.ResetCalls()
	r := rand.New(rand.NewPCG(3, 3)) //nolint:gosec // made-up orders
	for range 300 {
		r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		text := strings.Join(names[:], ",")
		if r.IntN(2) == 0 {
			text = url.QueryEscape(text + "," + names[0])
		}
		a := s.ok(t, get(path+text))
		require.Equal(t, "hit", s.how(t), text)
		require.Equal(t, first.Raw, a.Raw, text)
	}
	require.Zero(t, s.TotalCalls())
	require.NotEqual(t, first.Raw, s.ok(t, get(path+"price,related,brand")).Raw)
	require.Equal(t, "miss", s.how(t))
	whole := s.ok(t, get("/v1/screens/products/MUG-RED"))
	require.Equal(t, "miss", s.how(t))
	all := s.ok(t, get(path+"images,attributes,variants,description,brand,breadcrumbs,price,availability,reviews,related"))
	require.Equal(t, "hit", s.how(t), "all there is is what there is without fields")
	require.Equal(t, whole.Raw, all.Raw)
}
