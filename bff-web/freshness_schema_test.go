package bffweb

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/bff-web/graph/generated"
	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/schema/commerce"
)

// readBy is which operation answers each field that is read from a system. A field that
// declares @freshness needs its row.
var readBy = map[string]commerce.Operation{
	"Query.product":         commerce.OpProducts,
	"Query.products":        commerce.OpProducts,
	"Query.search":          commerce.OpSearch,
	"Query.categories":      commerce.OpCategoryTree,
	"Query.category":        commerce.OpCategoryTree,
	"Query.cart":            commerce.OpCartRead,
	"Query.shippingOptions": commerce.OpShippingOptions,
	"Query.order":           commerce.OpOrder,

	"Subscription.orderStatus":         commerce.OpOrder,
	"ProductAvailability.availability": commerce.OpAvailability,

	"Product.price":           commerce.OpPrices,
	"Product.availability":    commerce.OpAvailability,
	"Product.reviews":         commerce.OpReviews,
	"Product.related":         commerce.OpRelated,
	"Variant.product":         commerce.OpProducts,
	"CartLine.product":        commerce.OpProducts,
	"OrderLine.product":       commerce.OpProducts,
	"ProductConnection.nodes": commerce.OpProducts,
	"ProductEdge.node":        commerce.OpProducts,
	"Category.breadcrumbs":    commerce.OpCategoryTree,
	"Category.products":       commerce.OpSearch,
	"Me.profile":              commerce.OpCustomer,
	"Me.addresses":            commerce.OpCustomer,
	"Me.loyalty":              commerce.OpLoyalty,
	"Me.orders":               commerce.OpOrders,
	"Me.invoices":             commerce.OpInvoices,
	"Query.page":              commerce.OpPages,
	"Query.pages":             commerce.OpPages,
	"Query.recommendations":   commerce.OpRecommend,
	"Cart.shippingOptions":    commerce.OpShippingOptions,
	"Category.parent":         commerce.OpCategoryTree,
	"Product.breadcrumbs":     commerce.OpCategoryTree,
}

// readByNone are resolvers that read no system, and why.
var readByNone = map[string]string{
	"Query.me":                   "says who is signed in",
	"Money.formatted":            "writes an amount",
	"Product.images":             "chooses renditions",
	"Category.image":             "chooses a rendition",
	"Page.image":                 "chooses a rendition",
	"Product.optionAxes":         "sorts the product's own variants",
	"Product.variant":            "finds one of the product's own variants",
	"Availability.locations":     "chooses among the stock's own",
	"ReviewSummary.distribution": "counts the summary's own reviews",
	"ProductConnection.edges":    "counts the products; each node is read on its own",
	"Subscription.availability":  "names the products; the stock of each is read on its own",
}

func TestEveryFieldThatIsReadFromASystemDeclaresItsFreshness(t *testing.T) {
	t.Parallel()
	schema := sdl(t)
	require.NoError(t, graph.CheckFreshness(schema))
	root := reflect.TypeFor[generated.ResolverRoot]()
	resolved := map[string]bool{}
	for i := range root.NumMethod() {
		of := root.Method(i)
		if of.Name == "Mutation" {
			continue // what changes something is never given from before
		}
		methods := of.Type.Out(0)
		for j := range methods.NumMethod() {
			field := fieldNamed(schema.Types[of.Name], methods.Method(j).Name)
			require.NotNil(t, field, "%s.%s", of.Name, methods.Method(j).Name)
			name := of.Name + "." + field.Name
			resolved[name] = true
			declares := field.Directives.ForName("freshness") != nil
			assert.NotEqual(t, declares, readByNone[name] != "",
				"%s is resolved: it declares @freshness, or stands in readByNone with a reason", name)
		}
	}
	for name, def := range schema.Types {
		for _, field := range def.Fields {
			if field.Directives.ForName("freshness") == nil {
				continue
			}
			full := name + "." + field.Name
			assert.True(t, resolved[full], "%s declares @freshness and is read from no system", full)
			assert.NotEmpty(t, readBy[full], "%s declares @freshness: say in readBy which operation answers it", full)
		}
	}
}

func fieldNamed(def *ast.Definition, method string) *ast.FieldDefinition {
	for _, field := range def.Fields {
		if strings.EqualFold(field.Name, method) {
			return field
		}
	}
	return nil
}

// What the schema promises of older values, the cache keeps: for that long, whatever
// lifetime a kind of system declares.
func TestNoFieldPromisesMoreThanItsPolicyGives(t *testing.T) {
	t.Parallel()
	schema := sdl(t)
	promises := 0
	for name, op := range readBy {
		of, field, _ := strings.Cut(name, ".")
		def := schema.Types[of].Fields.ForName(field)
		require.NotNil(t, def, name)
		declared := graph.ToleranceOf(&ast.Field{Name: field, Definition: def})
		assert.LessOrEqual(t, declared.StaleUpTo, cache.StaleFor(op), name)
		if declared.StaleUpTo > 0 {
			promises++
		}
		if declared.OnError == graph.Fail {
			assert.True(t, def.Type.NonNull, "%s is FAIL in the schema: then its type should say so", name)
		}
	}
	assert.Greater(t, promises, 10)
}

// What is answered with an older value or a constant is nothing to buy by: carts, orders
// and what a customer owns are as they are, or not there.
func TestWhatIsPrivateIsNeverOld(t *testing.T) {
	t.Parallel()
	schema := sdl(t)
	for _, name := range []string{"Query.cart", "Query.shippingOptions", "Query.order", "Me.profile", "Me.addresses", "Me.loyalty", "Me.orders", "Me.invoices", "Cart.shippingOptions"} {
		of, field, _ := strings.Cut(name, ".")
		declared := graph.ToleranceOf(&ast.Field{Definition: schema.Types[of].Fields.ForName(field)})
		assert.Equal(t, graph.Tolerance{OnError: graph.Null}, declared, name)
	}
}

// A query that takes more than the schema gives is refused before anything is asked.
func TestAQueryThatTakesMoreIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	for query, want := range map[string][3]string{
		`{product(sku:"MUG-RED"){price@freshness(staleUpTo:"2h"){quantity}}}`:                   {"Product.price", "FRESHNESS_LOOSER", `staleUpTo up to "30m"`},
		`{product(sku:"MUG-RED"){price@freshness(onError:DEFAULT){quantity}}}`:                  {"Product.price", "FRESHNESS_LOOSER", `STALE, NULL, FAIL`},
		`{product(sku:"MUG-RED"){name@freshness(onError:NULL)}}`:                                {"Product.name", "FRESHNESS_NO_SOURCE", `no system`},
		`{product(sku:"MUG-RED"){price@freshness(staleUpTo:"soon"){quantity}}}`:                 {"Product.price", "FRESHNESS_INVALID", `such as`},
		`{product(sku:"MUG-RED"){price@freshness(onError:NULL){quantity} price{list{amount}}}}`: {"Product.price", "FRESHNESS_CONFLICT", `alias`},
		`mutation{cartCreate@freshness(onError:FAIL){cart{id}}}`:                                {"Mutation.cartCreate", "FRESHNESS_NO_SOURCE", `no system`},
	} {
		a := s.query(t, query, nil)
		require.Len(t, a.Errors, 1, a.Raw)
		assert.Nil(t, a.Data)
		assert.Equal(t, "GRAPHQL_VALIDATION_FAILED", a.Errors[0].Extensions["code"], a.Raw)
		assert.Equal(t, want[0], a.Errors[0].Extensions["field"])
		assert.Equal(t, want[1], a.Errors[0].Extensions["reason"])
		assert.Contains(t, a.Errors[0].Message, want[0])
		assert.Contains(t, a.Errors[0].Message, want[2])
	}
	assert.Zero(t, s.TotalCalls())
}
