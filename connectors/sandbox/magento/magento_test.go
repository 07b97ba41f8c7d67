package magento

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func shippingInfo(carrier, method string) string {
	return `{"addressInformation":{"shipping_address":` + seattle + `,"billing_address":` + seattle +
		`,"shipping_carrier_code":"` + carrier + `","shipping_method_code":"` + method + `"}}`
}

func TestAGuestBuys(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	id, sku := c.guestCart()
	assert.Len(t, id, 32)
	product := c.world.BySKU(sku)
	free := c.world.Free(product.ID)
	path := "/guest-carts/" + id

	status, body := c.open(http.MethodPost, path+"/estimate-shipping-methods", `{"address":{"country_id":"US"}}`)
	require.Equal(t, http.StatusOK, status)
	methods := decode[[]methodWire](t, body)
	require.NotEmpty(t, methods)
	status, body = c.open(http.MethodPost, path+"/shipping-information", shippingInfo(methods[0].Carrier, methods[0].Code))
	require.Equal(t, http.StatusOK, status, body)
	details := decode[detailsWire](t, body)
	assert.Len(t, details.Payments, 3)
	assert.Equal(t, "USD", details.Totals.QuoteCurrency)

	status, body = c.open(http.MethodPost, path+"/payment-information", `{"email":"a@example.test","paymentMethod":{"method":"checkmo"}}`)
	require.Equal(t, http.StatusOK, status, body)
	entity := decode[string](t, body) // text, for guests
	assert.Equal(t, free-2, c.world.Free(product.ID), "the order took its stock")

	for _, call := range [][2]string{{http.MethodGet, ""}, {http.MethodGet, "/totals"}, {http.MethodGet, "/payment-methods"}} {
		status, body = c.open(call[0], path+call[1], "")
		assert.Equal(t, http.StatusNotFound, status, call)
		assert.JSONEq(t, `{"message":"No such entity with %fieldName = %fieldValue","parameters":{"fieldName":"cartId","fieldValue":"`+id+`"}}`, body)
	}
	status, _ = c.open(http.MethodPost, path+"/payment-information", `{"email":"a@example.test","paymentMethod":{"method":"checkmo"}}`)
	assert.Equal(t, http.StatusNotFound, status, "a second order of the same cart")

	status, body = c.admin(http.MethodGet, "/orders/"+entity, "")
	require.Equal(t, http.StatusOK, status)
	order := decode[orderWire](t, body)
	assert.Equal(t, 1, order.IsGuest)
	assert.Equal(t, details.Totals.GrandTotal, order.GrandTotal)
	assert.Regexp(t, `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$`, order.CreatedAt)
	assert.Regexp(t, `^\d{9}$`, order.IncrementID)
}

func TestACustomersCart(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	customer := c.world.Customers()[0]
	create := "/customers/" + strconv.Itoa(customer.MagentoID) + "/carts"
	_, body := c.admin(http.MethodPost, create, "")
	id := strconv.Itoa(decode[int](t, body))
	_, body = c.admin(http.MethodPost, create, "")
	assert.Equal(t, id, body, "the same one again")

	sku := c.inStock().SKU
	status, body := c.admin(http.MethodPost, "/carts/"+id+"/items", itemBody(id, sku, 1))
	require.Equal(t, http.StatusOK, status, body)
	status, body = c.admin(http.MethodPost, "/carts/"+id+"/shipping-information", shippingInfo("xrq", "ground"))
	require.Equal(t, http.StatusOK, status, body)
	status, body = c.admin(http.MethodPut, "/carts/"+id+"/order", `{"paymentMethod":{"method":"banktransfer"}}`)
	require.Equal(t, http.StatusOK, status, body)
	decode[int](t, body) // a number, for customers

	status, body = c.admin(http.MethodGet, "/carts/"+id, "")
	assert.Equal(t, http.StatusOK, status, "an admin still sees it")
	assert.False(t, decode[cartWire](t, body).IsActive)
	status, _ = c.admin(http.MethodPut, "/carts/"+id+"/order", `{"paymentMethod":{"method":"banktransfer"}}`)
	assert.Equal(t, http.StatusNotFound, status)
	_, body = c.admin(http.MethodPost, create, "")
	assert.NotEqual(t, id, body, "a new one")
	status, _ = c.admin(http.MethodPost, "/customers/99999999/carts", "")
	assert.Equal(t, http.StatusNotFound, status)
}

func TestEmptyObjectsAreLists(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	_, body := c.open(http.MethodPost, "/guest-carts", "")
	_, body = c.open(http.MethodGet, "/guest-carts/"+decode[string](t, body), "")
	assert.Contains(t, body, `"customer":[]`)
	assert.Contains(t, body, `"billing_address":[]`)
	assert.Contains(t, body, `"extension_attributes":[]`)
	id, _ := c.guestCart()
	_, body = c.open(http.MethodGet, "/guest-carts/"+id+"/totals", "")
	totals := decode[totalsWire](t, body)
	assert.True(t, strings.HasPrefix(totals.Items[0].Options, "["), "a JSON document in a string")
}

// Every refusal: status and body as Magento words them, placeholders unfilled.
func TestRefusals(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	id, sku := c.guestCart()
	cart := "/guest-carts/" + id
	_, body := c.open(http.MethodPost, "/guest-carts", "")
	bare := "/guest-carts/" + decode[string](t, body)
	soldOut := ""
	for _, p := range c.world.Products() {
		if p.Published && c.world.Free(p.ID) == 0 {
			soldOut = p.SKU
		}
	}
	for name, tc := range map[string]struct {
		method, path, body string
		status             int
		says               string
	}{
		"no route":            {http.MethodGet, "/nothing", "", 404, `{"message":"Request does not match any route."}`},
		"wrong method":        {http.MethodDelete, cart, "", 404, "Request does not match any route."},
		"no such cart":        {http.MethodGet, "/guest-carts/x", "", 404, "No such entity with %fieldName = %fieldValue"},
		"unknown product":     {http.MethodPost, cart + "/items", itemBody(id, "NO-SUCH", 1), 404, "The product that was requested doesn't exist"},
		"sold out":            {http.MethodPost, cart + "/items", itemBody(id, soldOut, 1), 400, "Product that you are trying to add is not available."},
		"too many":            {http.MethodPost, cart + "/items", itemBody(id, sku, 9999), 400, "The requested qty is not available"},
		"none":                {http.MethodPost, cart + "/items", itemBody(id, sku, 0), 400, `"fieldName":"qty"`},
		"another cart's":      {http.MethodPost, cart + "/items", itemBody("x", sku, 1), 404, `"fieldValue":"x"`},
		"no item":             {http.MethodPost, cart + "/items", `{}`, 400, `"errors":[{"message":"\"%fieldName\" is required.`},
		"broken JSON":         {http.MethodPost, cart + "/items", `{`, 400, `{"message":"Decoding error."}`},
		"no such line":        {http.MethodPut, cart + "/items/999", itemBody(id, sku, 1), 404, `"The %1 Cart doesn't contain the %2 item.","parameters":["` + id + `","999"]`},
		"removing no line":    {http.MethodDelete, cart + "/items/999", "", 404, "Cart doesn't contain the"},
		"bad coupon":          {http.MethodPut, cart + "/coupons/NOPE", "", 404, "The coupon code isn't valid. Verify the code and try again."},
		"coupon on nothing":   {http.MethodPut, bare + "/coupons/WELCOME10", "", 404, "Cart doesn't contain products."},
		"bad method":          {http.MethodPost, cart + "/shipping-information", shippingInfo("a", "b"), 400, `"Carrier with such method not found: %1, %2","parameters":["a","b"]`},
		"bad region":          {http.MethodPost, cart + "/shipping-information", strings.ReplaceAll(shippingInfo("xrq", "ground"), `"region_id":62`, `"region_id":999`), 400, "Unable to save address."},
		"no region":           {http.MethodPost, cart + "/shipping-information", strings.NewReplacer(`"region_id":62,`, "", `"region_code":"WA",`, "").Replace(shippingInfo("xrq", "ground")), 400, "regionId"},
		"shipping of nothing": {http.MethodPost, bare + "/shipping-information", shippingInfo("xrq", "ground"), 400, "empty cart"},
		"order too early":     {http.MethodPut, cart + "/order", `{"paymentMethod":{"method":"checkmo"}}`, 400, "The shipping address is missing."},
		"no e-mail":           {http.MethodPost, cart + "/payment-information", `{"paymentMethod":{"method":"checkmo"}}`, 400, `"fieldName":"email"`},
		"merge":               {http.MethodPut, cart, `{"customerId":1,"storeId":1}`, 401, `"resources":"self"`},
		"admin as a guest":    {http.MethodGet, "/orders?searchCriteria", "", 401, `{"message":"The consumer isn't authorized to access %resources.","parameters":{"resources":"Magento_Sales::actions_view"}}`},
		"country":             {http.MethodGet, "/directory/countries/AQ", "", 404, "The country isn't available."},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := c.open(tc.method, tc.path, tc.body)
			assert.Equal(t, tc.status, status)
			assert.Contains(t, body, tc.says)
		})
	}
	req := c.request(http.MethodPost, cart+"/items", "sku=1")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, body := c.do(req)
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, body, "Server cannot understand Content-Type")
	status, body = c.open(http.MethodDelete, cart+"/coupons", "")
	assert.Equal(t, 200, status)
	assert.Equal(t, "true", body)
}

func TestStores(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for path, currency := range map[string]string{"/rest/default": "USD", "/rest/eur": "EUR", "/rest/gbp": "GBP", "/rest/all": "USD", "/rest": "USD"} {
		req := c.request(http.MethodPost, "/guest-carts", "")
		req.URL.Path = "/magento" + path + "/V1/guest-carts"
		_, body := c.do(req)
		_, body = c.open(http.MethodGet, "/guest-carts/"+decode[string](t, body), "")
		assert.Equal(t, currency, decode[cartWire](t, body).Currency.Quote)
	}
	req := c.request(http.MethodPost, "/guest-carts", "")
	req.URL.Path = "/magento/rest/nowhere/V1/guest-carts"
	status, _ := c.do(req)
	assert.Equal(t, http.StatusNotFound, status)
	_, body := c.admin(http.MethodGet, "/store/storeConfigs?storeCodes[]=eur", "")
	configs := decode[[]storeWire](t, body)
	require.Len(t, configs, 1)
	assert.Equal(t, "EUR", configs[0].Base)
}

func TestResetForgetsCarts(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	id, _ := c.guestCart()
	c.world.Reset()
	status, _ := c.open(http.MethodGet, "/guest-carts/"+id, "")
	assert.Equal(t, http.StatusNotFound, status)
	again, _ := c.guestCart()
	_, body := c.open(http.MethodGet, "/guest-carts/"+again, "")
	assert.Greater(t, decode[cartWire](t, body).ID, 1, "ids go on")
}

func TestAssignment(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	id, _ := c.guestCart()
	_, body := c.open(http.MethodGet, "/guest-carts/"+id, "")
	number := strconv.Itoa(decode[cartWire](t, body).ID)
	customer := strconv.Itoa(c.world.Customers()[0].MagentoID)
	status, _ := c.admin(http.MethodPut, "/carts/"+number, `{"customerId":`+customer+`,"storeId":1}`)
	require.Equal(t, http.StatusOK, status)
	status, _ = c.open(http.MethodGet, "/guest-carts/"+id, "")
	assert.Equal(t, http.StatusNotFound, status)
	other, _ := c.guestCart()
	_, body = c.open(http.MethodGet, "/guest-carts/"+other, "")
	number = strconv.Itoa(decode[cartWire](t, body).ID)
	status, body = c.admin(http.MethodPut, "/carts/"+number, `{"customerId":`+customer+`,"storeId":1}`)
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, body, "already has an active cart")
}

func searchOrders(pairs ...string) string {
	query := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		query.Set("searchCriteria"+pairs[i], pairs[i+1])
	}
	return "/orders?" + query.Encode()
}

func TestSearch(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	orders := c.world.Orders()
	require.Greater(t, len(orders), 10)
	find := func(pairs ...string) resultWire[orderWire] {
		status, body := c.admin(http.MethodGet, searchOrders(pairs...), "")
		require.Equal(t, http.StatusOK, status, body)
		return decode[resultWire[orderWire]](t, body)
	}
	for _, style := range []string{"filter_groups", "filterGroups"} {
		one := find("["+style+"][0][filters][0][field]", "increment_id", "["+style+"][0][filters][0][value]", orders[3].Number)
		require.Len(t, one.Items, 1)
		assert.Equal(t, orders[3].ID, one.Items[0].EntityID)
	}
	two := find("[filter_groups][0][filters][0][field]", "increment_id", "[filter_groups][0][filters][0][condition_type]", "in",
		"[filter_groups][0][filters][0][value]", orders[3].Number+","+orders[5].Number,
		"[sortOrders][0][field]", "entity_id", "[sortOrders][0][direction]", "DESC")
	assert.Equal(t, []int{orders[5].ID, orders[3].ID}, []int{two.Items[0].EntityID, two.Items[1].EntityID})
	both := find("[filter_groups][0][filters][0][field]", "entity_id", "[filter_groups][0][filters][0][value]", "1",
		"[filter_groups][1][filters][0][field]", "entity_id", "[filter_groups][1][filters][0][value]", "2")
	assert.Empty(t, both.Items, "groups are AND")
	either := find("[filter_groups][0][filters][0][field]", "entity_id", "[filter_groups][0][filters][0][value]", "1",
		"[filter_groups][0][filters][1][field]", "entity_id", "[filter_groups][0][filters][1][value]", "2")
	assert.Len(t, either.Items, 2, "filters are OR")

	few := []string{
		"[filter_groups][0][filters][0][field]", "entity_id", "[filter_groups][0][filters][0][condition_type]", "lteq",
		"[filter_groups][0][filters][0][value]", "5", "[sortOrders][0][field]", "entity_id", "[sortOrders][0][direction]", "ASC", "[pageSize]", "2",
	}
	last := find(append(few, "[currentPage]", "3")...)
	past := find(append(few, "[currentPage]", "9")...)
	require.Len(t, last.Items, 1)
	assert.Equal(t, last.Items, past.Items, "a page past the end repeats the last")
	assert.Equal(t, 5, past.Total)

	status, body := c.admin(http.MethodGet, searchOrders("[filter_groups][0][filters][0][field]", "nothing", "[filter_groups][0][filters][0][value]", "1"), "")
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, body, "Unknown column")
	status, _ = c.admin(http.MethodGet, "/orders", "")
	assert.Equal(t, http.StatusBadRequest, status, "searchCriteria is required")
	_, body = c.admin(http.MethodGet, "/orders?searchCriteria&fields=items[increment_id],total_count", "")
	assert.NotContains(t, body, "grand_total")
	assert.Len(t, decode[resultWire[orderWire]](t, body).Items, len(orders), "no page size means all")
}

func TestCustomers(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	want := c.world.Customers()[41]
	query := url.Values{"searchCriteria[filter_groups][0][filters][0][field]": {"email"}, "searchCriteria[filter_groups][0][filters][0][value]": {want.Email}}
	_, body := c.admin(http.MethodGet, "/customers/search?"+query.Encode(), "")
	found := decode[resultWire[customerWire]](t, body)
	require.Len(t, found.Items, 1)
	assert.Equal(t, want.MagentoID, found.Items[0].ID)
	_, body = c.admin(http.MethodGet, "/customers/"+strconv.Itoa(want.MagentoID), "")
	assert.Equal(t, want.Email, decode[customerWire](t, body).Email)
	status, _ := c.admin(http.MethodGet, "/customers/0", "")
	assert.Equal(t, http.StatusNotFound, status)
}

func TestOperation(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for path, want := range map[string]string{
		"/guest-carts/abc/totals":           "GET /V1/guest-carts/{id}/totals",
		"/carts/12":                         "GET /V1/carts/{id}",
		"/customers/search?searchCriteria=": "GET /V1/customers/search",
		"/customers/12":                     "GET /V1/customers/{customerId}",
		"/carts//totals":                    "unknown",
		"/carts/a%2Ftotals":                 "GET /V1/carts/{id}",
		"/nothing":                          "unknown",
	} {
		req := c.request(http.MethodGet, path, "")
		req.URL.Path = strings.TrimPrefix(req.URL.Path, "/magento")
		req.URL.RawPath = strings.TrimPrefix(req.URL.RawPath, "/magento")
		assert.Equal(t, want, Operation(req, nil), path)
	}
}

// What a piece costs depends on who buys how many, as in the ERP.
func TestPricesAreTheGroups(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	product := c.inStock()
	for _, customer := range c.world.Customers() {
		if customer.Group != world.Wholesale {
			continue
		}
		_, body := c.admin(http.MethodPost, "/customers/"+strconv.Itoa(customer.MagentoID)+"/carts", "")
		const pieces = 11 // a break
		status, answer := c.admin(http.MethodPost, "/carts/"+body+"/items", itemBody(body, product.SKU, pieces))
		require.Equal(t, http.StatusOK, status, answer)
		want, ok := c.world.UnitPrice(product.ID, world.Wholesale, "USD", pieces)
		require.True(t, ok)
		retail, ok := c.world.UnitPrice(product.ID, world.Retail, "USD", pieces)
		require.True(t, ok)
		assert.Equal(t, number(want), decode[itemWire](t, answer).Price)
		assert.NotEqual(t, number(retail), decode[itemWire](t, answer).Price)
		return
	}
	t.Fatal("no wholesale customer")
}
