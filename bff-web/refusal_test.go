package bffweb

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql/introspection"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge"
)

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &v))
	return v
}

// TestBadInput holds that malformed input is refused as a whole, named, and costs nothing.
func TestBadInput(t *testing.T) {
	t.Parallel()
	canary := "c4n4ry"
	long := strings.Repeat("x", 300)
	for name, c := range map[string]struct{ body, field string }{
		"sku":                 {`{"query":"{product(sku:\"../c4n4ry\"){name}}"}`, "sku"},
		"sku in variable":     {`{"query":"query($s:String!){product(sku:$s){name}}","variables":{"s":"c4n4ry/x"}}`, "sku"},
		"sku as number":       {`{"query":"query($s:String!){product(sku:$s){name}}","variables":{"s":5}}`, "sku"},
		"sku literal number":  {`{"query":"{product(sku:5){name}}"}`, "sku"},
		"sku as object":       {`{"query":"query($s:String!){product(sku:$s){name}}","variables":{"s":{"c4n4ry":1}}}`, "sku"},
		"skus too many":       {`{"query":"query($s:[String!]!){products(skus:$s){name}}","variables":{"s":[` + strings.Repeat(`"A",`, 100) + `"A"]}}`, "skus"},
		"one bad of skus":     {`{"query":"{products(skus:[\"A\",\"-c4n4ry\"]){name}}"}`, "skus"},
		"cart id":             {`{"query":"{cart(id:\"x_c4n4ry\"){id}}"}`, "id"},
		"cart id as number":   {`{"query":"{cart(id:5){id}}"}`, "id"},
		"category id":         {`{"query":"{category(id:\"c4n4ry!\"){id}}"}`, "id"},
		"order number":        {`{"query":"{order(number:\"c4n4ry$\"){number}}"}`, "number"},
		"quantity zero":       {`{"query":"{product(sku:\"A\"){price(quantity:0){quantity}}}"}`, "quantity"},
		"quantity negative":   {`{"query":"{product(sku:\"A\"){price(quantity:-1){quantity}}}"}`, "quantity"},
		"quantity large":      {`{"query":"{product(sku:\"A\"){price(quantity:10001){quantity}}}"}`, "quantity"},
		"quantity huge":       {`{"query":"{product(sku:\"A\"){price(quantity:99999999999999999999){quantity}}}"}`, "quantity"},
		"quantity var huge":   {`{"query":"query($q:Int!){product(sku:\"A\"){price(quantity:$q){quantity}}}","variables":{"q":99999999999999999999}}`, "quantity"},
		"quantity as text":    {`{"query":"query($q:Int!){product(sku:\"A\"){price(quantity:$q){quantity}}}","variables":{"q":"5"}}`, "quantity"},
		"quantity fraction":   {`{"query":"query($q:Int!){product(sku:\"A\"){price(quantity:$q){quantity}}}","variables":{"q":1.5}}`, "quantity"},
		"quantity literal":    {`{"query":"{product(sku:\"A\"){price(quantity:\"c4n4ry\"){quantity}}}"}`, "quantity"},
		"in a fragment":       {`{"query":"{product(sku:\"A\"){...F}} fragment F on Product{price(quantity:0){quantity}}"}`, "quantity"},
		"first zero":          {`{"query":"{search(first:0){totalCount}}"}`, "first"},
		"first large":         {`{"query":"{search(first:101){totalCount}}"}`, "first"},
		"cursor":              {`{"query":"{search(after:\"c4n4ry x\"){totalCount}}"}`, "after"},
		"text long":           {`{"query":"{search(text:\"` + long + `\"){totalCount}}"}`, "text"},
		"price filter":        {`{"query":"{search(filter:{priceMin:\"c4n4ry\"}){totalCount}}"}`, "filter.priceMin"},
		"facet value":         {`{"query":"{search(filter:{facets:[{code:\"color\",values:[\"\"]}]}){totalCount}}"}`, "filter.facets.values"},
		"sort":                {`{"query":"query($s:Sort){search(sort:$s){totalCount}}","variables":{"s":"c4n4ry"}}`, "sort"},
		"line quantity":       {`{"query":"mutation($i:CartLineAddInput!){cartLineAdd(input:$i){cart{id}}}","variables":{"i":{"cartId":"g_a","sku":"A","quantity":-3}}}`, "quantity"},
		"line id":             {`{"query":"mutation($i:CartLineRemoveInput!){cartLineRemove(input:$i){cart{id}}}","variables":{"i":{"cartId":"g_a","lineId":"c4n4ry!"}}}`, "lineId"},
		"unknown input field": {`{"query":"mutation($i:CartLineAddInput!){cartLineAdd(input:$i){cart{id}}}","variables":{"i":{"cartId":"g_a","sku":"A","colour":"c4n4ry"}}}`, "colour"},
		"unknown literal":     {`{"query":"mutation{cartLineAdd(input:{cartId:\"g_a\",sku:\"A\",colour:\"c4n4ry\"}){cart{id}}}"}`, "colour"},
		"missing input field": {`{"query":"mutation($i:CartLineAddInput!){cartLineAdd(input:$i){cart{id}}}","variables":{"i":{"cartId":"g_a"}}}`, "sku"},
		"coupon":              {`{"query":"mutation{cartCouponApply(input:{cartId:\"g_a\",code:\"c4n4ry!\"}){cart{id}}}"}`, "code"},
		"idempotency key":     {`{"query":"mutation{orderPlace(input:{cartId:\"g_a\",paymentMethod:\"x\",idempotencyKey:\"a b\"}){orderToken}}"}`, "idempotencyKey"},
		"address":             {`{"query":"query($a:AddressInput!){shippingOptions(cartId:\"g_a\",address:$a){code}}","variables":{"a":` + strings.Replace(addressJSON, `"US"`, `"c4n4ry"`, 1) + `}}`, "address.country"},
		"e-mail":              {`{"query":"mutation($a:AddressInput!){cartShippingSet(input:{cartId:\"g_a\",email:\"c4n4ry\",methodCode:\"x\",shippingAddress:$a}){cart{id}}}","variables":{"a":` + addressJSON + `}}`, "email"},
		"billing postcode":    {`{"query":"mutation($a:AddressInput!,$b:AddressInput!){cartShippingSet(input:{cartId:\"g_a\",email:\"a@b.test\",methodCode:\"x\",shippingAddress:$a,billingAddress:$b}){cart{id}}}","variables":{"a":` + addressJSON + `,"b":` + strings.Replace(addressJSON, `"98101"`, `""`, 1) + `}}`, "billingAddress.postcode"},
		"quantity null":       {`{"query":"query($q:Int){product(sku:\"A\"){price(quantity:$q){quantity}}}","variables":{"q":null}}`, "quantity"},
		"first null":          {`{"query":"query($n:Int){search(first:$n){totalCount}}","variables":{"n":null}}`, "first"},
		"first null below":    {`{"query":"query($n:Int){me{orders(first:$n){nodes{number}}}}","variables":{"n":null}}`, "first"},
		"line quantity null":  {`{"query":"mutation($q:Int){cartLineAdd(input:{cartId:\"g_a\",sku:\"A\",quantity:$q}){cart{id}}}","variables":{"q":null}}`, "quantity"},
		"default, then null":  {`{"query":"query($s:String=\"A\"){product(sku:$s){name}}","variables":{"s":null}}`, "sku"},
		"entry null":          {`{"query":"query($s:String=\"A\"){products(skus:[\"B\",$s]){name}}","variables":{"s":null}}`, "skus"},
		"include null":        {`{"query":"query($b:Boolean=true){product(sku:\"A\"){sku name @include(if:$b)}}","variables":{"b":null}}`, "b"},
		"skip null":           {`{"query":"query($b:Boolean=true){product(sku:\"A\") @skip(if:$b){sku}}","variables":{"b":null}}`, "b"},
		"skip inline null":    {`{"query":"query($b:Boolean=true){... @skip(if:$b){product(sku:\"A\"){sku}}}","variables":{"b":null}}`, "b"},
		"skip spread null":    {`{"query":"query($b:Boolean=true){product(sku:\"A\"){...F @include(if:$b)}} fragment F on Product{sku}","variables":{"b":null}}`, "b"},
		"body: unknown field": {`{"query":"{__typename}","c4n4ryID":"x"}`, "c4n4ryID"},
		"body: other case":    {`{"query":"{__typename}","Query":"c4n4ry"}`, "Query"},
		"body: twice":         {`{"query":"{__typename}","query":"c4n4ry"}`, "query"},
		"body: variables":     {`{"query":"{__typename}","variables":["c4n4ry"]}`, "variables"},
		"body: query type":    {`{"query":5}`, "query"},
		"body: no query":      {`{"variables":{}}`, "query"},
		"body: operationName": {`{"query":"{__typename}","operationName":5}`, "operationName"},
		"body: extensions":    {`{"query":"{__typename}","extensions":"c4n4ry"}`, "extensions"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			for _, accept := range []string{"", "application/json", "application/graphql-response+json"} {
				a := s.post(t, c.body, header{"Accept", accept})
				require.Equal(t, http.StatusBadRequest, a.Status, a.Raw)
				require.Len(t, a.Errors, 1, a.Raw)
				assert.Equal(t, c.field, a.Errors[0].Extensions["field"], a.Raw)
				assert.NotContains(t, a.Raw, `"data"`)
				assert.NotContains(t, strings.ReplaceAll(a.Raw, "c4n4ryID", ""), canary)
				assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
			}
			assert.Zero(t, s.TotalCalls())
		})
	}
}

func TestUnknownCurrencyIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, h := range []string{"X-Currency", "X-Channel", "X-Country"} {
		a := s.query(t, `{product(sku:"MUG-RED"){name}}`, nil, header{h, "XXX"})
		assert.Equal(t, http.StatusBadRequest, a.Status)
		assert.Equal(t, h, a.Errors[0].Extensions["field"])
	}
	assert.Zero(t, s.TotalCalls())
}

func TestMalformedRequests(t *testing.T) {
	t.Parallel()
	s := open(t)
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"empty":        {``, 400},
		"no JSON":      {`c4n4ry`, 400},
		"a string":     {`"c4n4ry"`, 400},
		"a batch":      {`[{"query":"{__typename}"}]`, 400},
		"two bodies":   {`{"query":"{__typename}"} {"c4n4ry":1}`, 400},
		"bad UTF-8":    {"{\"query\":\"\xff\"}", 400},
		"one mebibyte": {`{"query":"` + strings.Repeat(" ", 1<<20) + `"}`, 413},
	} {
		a := s.post(t, c.body)
		assert.Equal(t, c.status, a.Status, name)
		assert.NotContains(t, a.Raw, "c4n4ry", name)
		assert.NotContains(t, a.Raw, `"data"`, name)
	}
	assert.Zero(t, s.TotalCalls())
}

func TestGraphQLOverHTTP(t *testing.T) {
	t.Parallel()
	s := open(t)
	const good, syntax, unknown = `{"query":"{__typename}"}`, `{"query":"{ c4n4ry("}`, `{"query":"{c4n4ry}"}`
	for name, c := range map[string]struct {
		body, accept string
		status       int
		mediaType    string
	}{
		"default":            {good, "", 200, "application/json"},
		"anything":           {good, "*/*", 200, "application/json"},
		"graphql":            {good, "application/graphql-response+json", 200, "application/graphql-response+json"},
		"best":               {good, "application/json;q=0.5, application/graphql-response+json", 200, "application/graphql-response+json"},
		"neither":            {good, "text/plain", 406, "application/json"},
		"syntax JSON":        {syntax, "application/json", 200, "application/json"},
		"syntax graphql":     {syntax, "application/graphql-response+json", 400, "application/graphql-response+json"},
		"validation JSON":    {unknown, "application/json", 200, "application/json"},
		"validation graphql": {unknown, "application/graphql-response+json", 400, "application/graphql-response+json"},
		"null variable":      {`{"query":"query($s:String!){product(sku:$s){name}}","variables":{"s":null}}`, "application/json", 200, "application/json"},
	} {
		a := s.post(t, c.body, header{"Accept", c.accept})
		assert.Equal(t, c.status, a.Status, name)
		assert.Equal(t, c.mediaType+"; charset=utf-8", a.Header.Get("Content-Type"), name)
		if c.body != good {
			assert.NotContains(t, a.Raw, `"data"`, name)
			assert.NotEmpty(t, a.Errors, name)
		}
	}
}

func TestGET(t *testing.T) {
	t.Parallel()
	s := open(t)
	get := func(query string, headers ...header) answer {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://portico.test/graphql"+query, nil)
		for _, h := range headers {
			r.Header.Set(h[0], h[1])
		}
		return s.send(t, r)
	}
	a := get(`?query=query($s:String!){product(sku:$s){name}}&variables={"s":"MUG-RED"}`)
	assert.JSONEq(t, `{"data":{"product":{"name":"Red mug"}}}`, a.Raw)
	a = get(`?query=mutation{cartCreate{cart{id}}}`)
	assert.Equal(t, http.StatusMethodNotAllowed, a.Status)
	assert.Equal(t, "POST", a.Header.Get("Allow"))
	assert.Equal(t, http.StatusBadRequest, get(``, header{"Accept", "text/html,*/*;q=0.8"}).Status, "no page in production")
}

func TestMethodsAndPaths(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodHead, http.MethodOptions} {
		a := s.send(t, httptest.NewRequestWithContext(t.Context(), method, "http://portico.test/graphql", nil))
		assert.Equal(t, http.StatusMethodNotAllowed, a.Status, method)
	}
	for _, path := range []string{"/", "/graphql/", "/GraphQL", "/graphiql/boot.js"} {
		a := s.send(t, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://portico.test"+path, nil))
		assert.Equal(t, http.StatusNotFound, a.Status, path)
	}
}

func TestGraphiQLInDevelopment(t *testing.T) {
	t.Parallel()
	s := open(t, func(b *edge.Backend) { b.Config.Mode = edge.Development })
	get := func(path, accept string) answer {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://portico.test"+path, nil)
		r.Header.Set("Accept", accept)
		r.Header.Set("Sec-Fetch-Site", "none")
		return s.send(t, r)
	}
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	page := get("/graphql", browser)
	require.Equal(t, http.StatusOK, page.Status)
	assert.Contains(t, page.Header.Get("Content-Type"), "text/html")
	assert.Contains(t, page.Header.Get("Content-Security-Policy"), "default-src 'none'")
	assert.NotContains(t, page.Raw, "https://", "nothing comes from the network")
	for _, part := range strings.Split(page.Raw, `"/graphiql/`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		assert.Equal(t, http.StatusOK, get("/graphiql/"+name, "*/*").Status, name)
	}
	assert.NotContains(t, get("/graphql?query={__typename}", browser).Header.Get("Content-Type"), "html")
	assert.NotContains(t, get("/graphql?documentId=x", browser).Header.Get("Content-Type"), "html")
	a := s.ok(t, `{__schema{queryType{name}}}`, nil)
	assert.Equal(t, "Query", at(t, a.Data, "__schema", "queryType", "name"))
	s.ok(t, introspection.Query, nil) // what GraphiQL asks for
}

// TestAMissingVariableIsNamed holds that the error tells which argument lacks its
// variable, and has no path: nothing was answered.
func TestAMissingVariableIsNamed(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.query(t, `query($wanted: String!) { product(sku: $wanted) { name } }`, nil)
	require.Equal(t, []string{"GRAPHQL_VALIDATION_FAILED"}, a.codes(), a.Raw)
	assert.Equal(t, "sku: is required", a.Errors[0].Message)
	assert.Equal(t, "sku", a.Errors[0].Extensions["field"])
	assert.Empty(t, a.Errors[0].Path)
	assert.Zero(t, s.TotalCalls(), "nobody was asked")
}

// TestWhatIsNotSentIsTheDefault holds that a variable that is left out is no null: the
// argument, or the input field, has its default.
func TestWhatIsNotSentIsTheDefault(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.ok(t, `query($q:Int $b:Boolean=true){product(sku:"MUG-RED"){price(quantity:$q){quantity} name @include(if:$b)}}`, nil)
	assert.EqualValues(t, 1, at(t, a.Data, "product", "price", "quantity"))
	assert.Equal(t, "Red mug", at(t, a.Data, "product", "name"))
	cart := s.newCart(t)
	a = s.ok(t, `mutation($c:ID! $q:Int){cartLineAdd(input:{cartId:$c sku:"MUG-RED" quantity:$q}){cart{lines{quantity}}}}`, map[string]any{"c": cart})
	assert.EqualValues(t, 1, at(t, a.Data, "cartLineAdd", "cart", "lines", 0, "quantity"), a.Raw)
	many := s.query(t, `query($n:Int){search(first:$n){nodes{related{related{related{sku}}}}}}`, nil)
	require.NotEmpty(t, many.Errors, many.Raw)
	assert.Equal(t, "objects in the answer: 5200 exceeds 5000", many.Errors[0].Message, "20 are asked for")
}
