package bffmobile

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBadInputNamesTheFieldAndAsksNobody(t *testing.T) {
	t.Parallel()
	const cart = "/v1/carts/" + guestCart
	add := func(body string) call { return call{"POST", cart + "/lines", body, nil} }
	ship := func(body string) call { return call{"PUT", cart + "/shipping", body, nil} }
	with := func(old, replacement string) string {
		return `{"email":"a@example.test","methodCode":"m","shippingAddress":` + strings.Replace(seattle, old, replacement, 1) + `}`
	}
	order := func(body, key string) call { return call{"POST", cart + "/order", body, keyed(key)} }
	s := open(t)
	for name, c := range map[string]struct {
		call
		field string
	}{
		"sku":                    {get("/v1/screens/products/a%20b"), "sku"},
		"sku too long":           {get("/v1/screens/products/" + strings.Repeat("a", 65)), "sku"},
		"category":               {get("/v1/screens/categories/a.b"), "id"},
		"cart without kind":      {get("/v1/screens/cart/abc"), "cartId"},
		"checkout of no cart":    {get("/v1/screens/checkout/abc"), "cartId"},
		"checkout of a width":    {get("/v1/screens/checkout/" + guestCart + "?width=80"), "width"},
		"order number":           {get("/v1/orders/a%27b"), "number"},
		"order token":            {get("/v1/orders/1", "X-Order-Token", strings.Repeat("a", 256)), "X-Order-Token"},
		"width 0":                {get("/v1/screens/home?width=0"), "width"},
		"width huge":             {get("/v1/screens/home?width=99999999999999999999"), "width"},
		"width word":             {get("/v1/screens/home?width=big"), "width"},
		"width padded":           {get("/v1/screens/home?width=007"), "width"},
		"fields empty":           {get("/v1/screens/home?fields="), "fields"},
		"fields with blanks":     {get("/v1/screens/home?fields=page,%20categories"), "fields"},
		"fields unclosed":        {get("/v1/screens/home?fields=page(title"), "fields"},
		"fields unknown":         {get("/v1/screens/home?fields=price"), "fields"},
		"fields unknown below":   {get("/v1/screens/search?fields=products(items(tiers))"), "fields"},
		"fields below nothing":   {get("/v1/screens/products/MUG-RED?fields=name(first)"), "fields"},
		"fields too long":        {get("/v1/screens/home?fields=" + strings.Repeat("page,", 205)), "fields"},
		"fields too deep":        {get("/v1/screens/search?fields=products(items(price(tiers(unit(amount)))))"), "fields"},
		"fields twice":           {get("/v1/screens/home?fields=page&fields=page"), "fields"},
		"fields of a resource":   {get("/v1/carts/" + guestCart + "?fields=coupon"), "fields"},
		"first 0":                {get("/v1/screens/search?first=0"), "first"},
		"first 101":              {get("/v1/screens/search?first=101"), "first"},
		"first negative":         {get("/v1/screens/search?first=-1"), "first"},
		"first twice":            {get("/v1/screens/search?first=1&first=2"), "first"},
		"unknown parameter":      {get("/v1/screens/search?quick=1"), "quick"},
		"odd parameter":          {get("/v1/screens/search?%3Cb%3E=1"), "query"},
		"bad escape":             {get("/v1/screens/search?q=%zz"), "query"},
		"semicolon":              {get("/v1/screens/search?q=a;b=c"), "query"},
		"q too long":             {get("/v1/screens/search?q=" + strings.Repeat("a", 201)), "q"},
		"q bad UTF-8":            {get("/v1/screens/search?q=%ff"), "q"},
		"q NUL":                  {get("/v1/screens/search?q=a%00"), "q"},
		"sort":                   {get("/v1/screens/search?sort=CHEAP"), "sort"},
		"sort in another case":   {get("/v1/screens/search?sort=name"), "sort"},
		"inStock":                {get("/v1/screens/search?inStock=1"), "inStock"},
		"priceMin":               {get("/v1/screens/search?priceMin=-1"), "priceMin"},
		"priceMax":               {get("/v1/screens/search?priceMax=1e3"), "priceMax"},
		"priceMax empty":         {get("/v1/screens/search?priceMax="), "priceMax"},
		"facet without value":    {get("/v1/screens/search?facet=color"), "facet"},
		"facet with an odd code": {get("/v1/screens/search?facet=a.b:c"), "facet"},
		"facets too many":        {get("/v1/screens/search?" + strings.Repeat("facet=a:b&", 51)), "facet"},
		"category filter":        {get("/v1/screens/search?category=a/b"), "category"},
		"category is fixed":      {get("/v1/screens/categories/kitchen?category=home"), "category"},
		"density":                {get("/v1/screens/home", "X-Pixel-Density", "2.5"), "X-Pixel-Density"},
		"density in other words": {get("/v1/screens/search", "X-Pixel-Density", "3.0"), "X-Pixel-Density"},
		"density empty":          {get("/v1/screens/products/MUG-RED", "X-Pixel-Density", ""), "X-Pixel-Density"},
		"platform":               {get("/v1/screens/home", "X-Platform", "web", "X-Pixel-Density", "2"), "X-Platform"},
		"channel":                {get("/v1/screens/home", "X-Channel", "moon"), "X-Channel"},
		"currency":               {get("/v1/screens/home", "X-Currency", "XXX"), "X-Currency"},
		"currency in lower case": {get("/v1/screens/home", "X-Currency", "usd"), "X-Currency"},
		"country":                {get("/v1/screens/home", "X-Country", "ZZ"), "X-Country"},
		"orders first":           {get("/v1/orders?first=0", "Authorization", "Bearer C1"), "first"},
		"account parameter":      {get("/v1/screens/account?id=C2", "Authorization", "Bearer C1"), "id"},
		"create with a field":    {call{"POST", "/v1/carts", `{"id":"g_1"}`, nil}, "id"},
		"create with a list":     {call{"POST", "/v1/carts", `[]`, nil}, "body"},
		"create with a query":    {call{"POST", "/v1/carts?x=1", `{}`, nil}, "x"},
		"cart id in a write":     {call{"POST", "/v1/carts/x_1/lines", `{"sku":"A","quantity":1}`, nil}, "id"},
		"no body":                {call{"POST", cart + "/lines", "", nil}, "body"},
		"quantity 0":             {add(`{"sku":"A","quantity":0}`), "quantity"},
		"quantity negative":      {add(`{"sku":"A","quantity":-1}`), "quantity"},
		"quantity huge":          {add(`{"sku":"A","quantity":10001}`), "quantity"},
		"quantity beyond int":    {add(`{"sku":"A","quantity":9223372036854775808}`), "quantity"},
		"quantity as text":       {add(`{"sku":"A","quantity":"1"}`), "quantity"},
		"quantity fraction":      {add(`{"sku":"A","quantity":1.0}`), "quantity"},
		"quantity missing":       {add(`{"sku":"A"}`), "quantity"},
		"quantity null":          {add(`{"sku":"A","quantity":null}`), "quantity"},
		"line sku":               {add(`{"sku":"../A","quantity":1}`), "sku"},
		"line sku as number":     {add(`{"sku":1,"quantity":1}`), "sku"},
		"unknown field":          {add(`{"sku":"A","quantity":1,"price":"0"}`), "price"},
		"duplicate field":        {add(`{"sku":"A","quantity":1,"quantity":2}`), "quantity"},
		"case variant":           {add(`{"sku":"A","quantity":1,"SKU":"B"}`), "sku"},
		"trailing data":          {add(`{"sku":"A","quantity":1}{}`), "body"},
		"bad UTF-8":              {add("{\"sku\":\"A\xff\",\"quantity\":1}"), "sku"},
		"line id":                {call{"PATCH", cart + "/lines/a.b", `{"quantity":1}`, nil}, "lineId"},
		"set quantity":           {call{"PATCH", cart + "/lines/1", `{"quantity":0}`, nil}, "quantity"},
		"delete with a body":     {call{"DELETE", cart + "/lines/1", `{}`, nil}, "body"},
		"coupon":                 {call{"PUT", cart + "/coupon", `{"code":"a b"}`, nil}, "code"},
		"coupon empty":           {call{"PUT", cart + "/coupon", `{"code":""}`, nil}, "code"},
		"address missing":        {call{"POST", cart + "/shipping-options", `{}`, nil}, "address"},
		"address nested":         {call{"POST", cart + "/shipping-options", `{"address":{"x":1}}`, nil}, "address.x"},
		"address street":         {call{"POST", cart + "/shipping-options", `{"address":` + strings.Replace(seattle, `["1 Main St"]`, `[]`, 1) + `}`, nil}, "address.street"},
		"email":                  {ship(strings.Replace(with("", ""), "a@example.test", "nobody", 1)), "email"},
		"shipping country":       {ship(with(`"US"`, `"usa"`)), "shippingAddress.country"},
		"shipping city":          {ship(with(`"Seattle"`, `""`)), "shippingAddress.city"},
		"shipping name long":     {ship(with(`"Ann"`, `"`+strings.Repeat("a", 256)+`"`)), "shippingAddress.firstName"},
		"shipping four lines":    {ship(with(`["1 Main St"]`, `["1","2","3","4"]`)), "shippingAddress.street"},
		"method code empty":      {ship(strings.Replace(with("", ""), `"methodCode":"m"`, `"methodCode":""`, 1)), "methodCode"},
		"method code control":    {ship(strings.Replace(with("", ""), `"methodCode":"m"`, `"methodCode":"a\u0000"`, 1)), "methodCode"},
		"billing incomplete":     {ship(strings.Replace(with("", ""), `{"email"`, `{"billingAddress":{"city":"x"},"email"`, 1)), "billingAddress.country"},
		"order without key":      {call{"POST", cart + "/order", `{"paymentMethod":"checkmo"}`, []string{"Idempotency-Key", without}}, "Idempotency-Key"},
		"order key too long":     {order(`{"paymentMethod":"checkmo"}`, strings.Repeat("k", 256)), "Idempotency-Key"},
		"order key odd":          {order(`{"paymentMethod":"checkmo"}`, "k k"), "Idempotency-Key"},
		"order payment missing":  {order(`{}`, "k"), "paymentMethod"},
		"order payment empty":    {order(`{"paymentMethod":""}`, "k"), "paymentMethod"},
		"order payment long":     {order(`{"paymentMethod":"`+strings.Repeat("k", 129)+`"}`, "k"), "paymentMethod"},
		"merge a customer's":     {call{"POST", "/v1/carts/c_1/merge", `{}`, []string{"Authorization", "Bearer C1"}}, "id"},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.send(t, c.call)
			require.Equal(t, http.StatusBadRequest, a.Status, a.Raw)
			require.Equal(t, "application/problem+json", a.Header.Get("Content-Type"))
			var p struct{ Field, Code, RequestID string }
			require.NoError(t, json.Unmarshal([]byte(a.Raw), &p))
			require.Equal(t, c.field, p.Field, a.Raw)
			require.NotEmpty(t, p.Code, a.Raw)
			require.Equal(t, "test", p.RequestID)
			require.Less(t, len(a.Raw), 400, "what was sent is not sent back")
		})
	}
	require.Zero(t, s.TotalCalls())
}

func TestMediaTypes(t *testing.T) {
	t.Parallel()
	s := open(t)
	for kind, status := range map[string]int{
		"application/json": 201, "application/json; charset=utf-8": 201, `application/json;charset="UTF-8"`: 201,
		"text/plain": 415, "application/x-www-form-urlencoded": 415, "multipart/form-data; boundary=x": 415,
		"application/json; charset=latin1": 415, "application/jsonp": 415, "": 415,
	} {
		a := s.send(t, call{"POST", "/v1/carts", `{}`, []string{"Content-Type", kind}})
		require.Equal(t, status, a.Status, "%q: %s", kind, a.Raw)
	}
	for _, encoding := range []string{"gzip", "deflate", "br", "zstd", "identity"} {
		a := s.send(t, call{"POST", "/v1/carts", `{}`, []string{"Content-Encoding", encoding}})
		require.Equal(t, 415, a.Status, "%q: %s", encoding, a.Raw)
	}
}

// Every route of the contract, bent: none of it reaches a system, and nothing of it is kept.
func TestM6_BentPathsMatchNothing(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	ann := []string{"Authorization", "Bearer C1"}
	bend := map[string]func(string) string{
		"upper case":          strings.ToUpper,
		"one letter":          func(p string) string { return strings.Replace(p, "/v1/", "/V1/", 1) },
		"trailing slash":      func(p string) string { return p + "/" },
		"double slash":        func(p string) string { return "/" + p },
		"double slash inside": func(p string) string { return strings.Replace(p, "/v1/", "/v1//", 1) },
		"double slash behind": func(p string) string { return p + "//" },
		"encoded slash":       func(p string) string { return p + "%2f" },
		"encoded slash first": func(p string) string { return strings.Replace(p, "/v1/", "/v1%2f", 1) },
		"NUL":                 func(p string) string { return p + "%00" },
		"parameter":           func(p string) string { return p + ";x" },
		"parameter inside":    func(p string) string { return strings.Replace(p, "/v1/", "/v1;x/", 1) },
		"dot segment":         func(p string) string { return strings.Replace(p, "/v1/", "/v1/./", 1) },
		"dots up":             func(p string) string { return "/x/.." + p },
		"dots behind":         func(p string) string { return p + "/.." },
		"encoded dots":        func(p string) string { return p + "/%2e%2e" },
		"encoded letter":      func(p string) string { return strings.Replace(p, "/v1/", "/%76%31/", 1) },
		"backslash":           func(p string) string { return p + "%5c" },
		"space":               func(p string) string { return p + "%20" },
		"newline":             func(p string) string { return p + "%0a" },
		"style sheet":         func(p string) string { return p + "/x.css" },
		"parameter, ending":   func(p string) string { return p + ";x.css" },
		"encoded ending":      func(p string) string { return p + "%2fx.css" },
	}
	kept := s.metric(t, "portico_answers_bytes")
	for _, r := range s.app.server.GetRoutes(true) {
		if !strings.HasPrefix(r.Path, "/v1/") {
			continue
		}
		path := r.Path
		for name, value := range map[string]string{":cartId": guestCart, ":lineId": "1", ":number": "7", ":sku": "MUG-RED", ":id": guestCart} {
			path = strings.Replace(path, name, value, 1)
		}
		for name, change := range bend {
			a := s.send(t, call{r.Method, change(path), "", ann})
			// 405: "/lines/.." has the form of another operation's path.
			require.Contains(t, []int{400, 404, 405}, a.Status, "%s: %s %s: %s", name, r.Method, change(path), a.Raw)
			public := s.send(t, call{r.Method, change(path), "", nil})
			require.Contains(t, []int{400, 404, 405}, public.Status, "%s: %s %s: %s", name, r.Method, change(path), public.Raw)
			require.NotContains(t, public.Header.Get("Cache-Control"), "public")
		}
		if !strings.Contains(r.Path[strings.LastIndexByte(r.Path, '/'):], ":") { // what ends in an id names another thing
			require.Equal(t, 404, s.send(t, call{r.Method, path + ".css", "", ann}).Status, path)
		}
	}
	require.Zero(t, s.TotalCalls())
	require.InDelta(t, kept, s.metric(t, "portico_answers_bytes"), 0, "nothing is kept")
	require.Equal(t, 404, s.send(t, get("/v1/screens/products/MUG-RED.css", ann...)).Status)
	require.InDelta(t, kept, s.metric(t, "portico_answers_bytes"), 0, "nor is what is not there")
	s.ok(t, get("/v1/screens/products/MUG-RED"))
	require.Greater(t, s.metric(t, "portico_answers_bytes"), kept)
}

func TestMarketIsEchoed(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.ok(t, get("/v1/screens/products/MUG-RED", "X-Channel", "eu", "Accept-Language", "fr-CH, de;q=0.5", "X-Currency", "GBP", "X-Country", "DE"))
	for name, value := range map[string]string{
		"Content-Language": "fr", "X-Channel": "eu", "X-Currency": "GBP", "X-Country": "DE",
		"Vary": "X-Channel, Accept-Language, X-Currency, X-Country, Authorization, Accept-Encoding, X-Platform, X-Pixel-Density",
	} {
		require.Equal(t, value, a.Header.Get(name), name)
	}
	require.Contains(t, a.Raw, `"currency":"GBP"`)
	require.Contains(t, a.Raw, "Tasse rouge")
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	s := open(t)
	require.Equal(t, "abc.DEF-1_2", s.send(t, get("/v1/x", "X-Request-Id", "abc.DEF-1_2")).Header.Get("X-Request-Id"))
	made := s.send(t, get("/v1/x", "X-Request-Id", "a b"))
	require.Regexp(t, `^[0-9a-f]{32}$`, made.Header.Get("X-Request-Id"))
	require.Contains(t, made.Raw, made.Header.Get("X-Request-Id"))
	require.Contains(t, s.log.String(), made.Header.Get("X-Request-Id"))
}
