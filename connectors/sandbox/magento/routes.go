package magento

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// call is what a handler gets: who may call it was settled before.
type call struct {
	store store
	args  map[string]string // path parameters, decoded
	query url.Values
	body  []byte
	admin bool // an admin route: cart ids are numbers
}

// decode reads the body's JSON into v.
func (c *call) decode(v any) error {
	dec := json.NewDecoder(bytes.NewReader(c.body))
	if err := dec.Decode(v); err != nil {
		return badRequest("Decoding error.")
	}
	return nil
}

// route is an entry of the API. resource names the right it needs; empty is open to everybody.
type route struct {
	method   string
	template string
	resource string
	handle   func(*shop, *call) (any, error)
}

const (
	resourceCarts     = "Magento_Cart::manage"
	resourceOrders    = "Magento_Sales::actions_view"
	resourceCustomers = "Magento_Customer::customer"
	resourceStores    = "Magento_Backend::store"
)

// routes is the whole API that is imitated. {id} of a guest's cart is its masked id.
var routes = []route{
	{http.MethodPost, "/V1/guest-carts", "", (*shop).createGuestCart},
	{http.MethodGet, "/V1/guest-carts/{id}", "", (*shop).getCart},
	{http.MethodPut, "/V1/guest-carts/{id}", "", (*shop).assignGuestCart},
	{http.MethodGet, "/V1/guest-carts/{id}/items", "", (*shop).listItems},
	{http.MethodPost, "/V1/guest-carts/{id}/items", "", (*shop).addItem},
	{http.MethodPut, "/V1/guest-carts/{id}/items/{itemId}", "", (*shop).setItem},
	{http.MethodDelete, "/V1/guest-carts/{id}/items/{itemId}", "", (*shop).deleteItem},
	{http.MethodGet, "/V1/guest-carts/{id}/totals", "", (*shop).getTotals},
	{http.MethodGet, "/V1/guest-carts/{id}/coupons", "", (*shop).getCoupon},
	{http.MethodPut, "/V1/guest-carts/{id}/coupons/{code}", "", (*shop).setCoupon},
	{http.MethodDelete, "/V1/guest-carts/{id}/coupons", "", (*shop).deleteCoupon},
	{http.MethodPost, "/V1/guest-carts/{id}/estimate-shipping-methods", "", (*shop).estimateShipping},
	{http.MethodGet, "/V1/guest-carts/{id}/shipping-methods", "", (*shop).shippingMethods},
	{http.MethodPost, "/V1/guest-carts/{id}/shipping-information", "", (*shop).setShippingInformation},
	{http.MethodGet, "/V1/guest-carts/{id}/billing-address", "", (*shop).getBillingAddress},
	{http.MethodPost, "/V1/guest-carts/{id}/billing-address", "", (*shop).setBillingAddress},
	{http.MethodGet, "/V1/guest-carts/{id}/payment-methods", "", (*shop).paymentMethods},
	{http.MethodGet, "/V1/guest-carts/{id}/payment-information", "", (*shop).paymentInformation},
	{http.MethodPost, "/V1/guest-carts/{id}/payment-information", "", (*shop).payAsGuest},
	{http.MethodGet, "/V1/guest-carts/{id}/selected-payment-method", "", (*shop).getPayment},
	{http.MethodPut, "/V1/guest-carts/{id}/selected-payment-method", "", (*shop).setPayment},
	{http.MethodPut, "/V1/guest-carts/{id}/order", "", (*shop).placeOrder},

	{http.MethodPost, "/V1/customers/{customerId}/carts", resourceCarts, (*shop).createCustomerCart},
	{http.MethodGet, "/V1/carts/{id}", resourceCarts, (*shop).getCart},
	{http.MethodPut, "/V1/carts/{id}", resourceCarts, (*shop).assignCart},
	{http.MethodGet, "/V1/carts/{id}/items", resourceCarts, (*shop).listItems},
	{http.MethodPost, "/V1/carts/{id}/items", resourceCarts, (*shop).addItem},
	{http.MethodPut, "/V1/carts/{id}/items/{itemId}", resourceCarts, (*shop).setItem},
	{http.MethodDelete, "/V1/carts/{id}/items/{itemId}", resourceCarts, (*shop).deleteItem},
	{http.MethodGet, "/V1/carts/{id}/totals", resourceCarts, (*shop).getTotals},
	{http.MethodGet, "/V1/carts/{id}/coupons", resourceCarts, (*shop).getCoupon},
	{http.MethodPut, "/V1/carts/{id}/coupons/{code}", resourceCarts, (*shop).setCoupon},
	{http.MethodDelete, "/V1/carts/{id}/coupons", resourceCarts, (*shop).deleteCoupon},
	{http.MethodPost, "/V1/carts/{id}/estimate-shipping-methods", resourceCarts, (*shop).estimateShipping},
	{http.MethodGet, "/V1/carts/{id}/shipping-methods", resourceCarts, (*shop).shippingMethods},
	{http.MethodPost, "/V1/carts/{id}/shipping-information", resourceCarts, (*shop).setShippingInformation},
	{http.MethodGet, "/V1/carts/{id}/billing-address", resourceCarts, (*shop).getBillingAddress},
	{http.MethodPost, "/V1/carts/{id}/billing-address", resourceCarts, (*shop).setBillingAddress},
	{http.MethodGet, "/V1/carts/{id}/payment-methods", resourceCarts, (*shop).paymentMethods},
	{http.MethodGet, "/V1/carts/{id}/selected-payment-method", resourceCarts, (*shop).getPayment},
	{http.MethodPut, "/V1/carts/{id}/selected-payment-method", resourceCarts, (*shop).setPayment},
	{http.MethodPut, "/V1/carts/{id}/order", resourceCarts, (*shop).placeOrder},

	{http.MethodGet, "/V1/orders", resourceOrders, (*shop).searchOrders},
	{http.MethodGet, "/V1/orders/{id}", resourceOrders, (*shop).getOrder},
	{http.MethodGet, "/V1/customers/search", resourceCustomers, (*shop).searchCustomers},
	{http.MethodGet, "/V1/customers/{customerId}", resourceCustomers, (*shop).getCustomer},
	{http.MethodGet, "/V1/store/storeConfigs", resourceStores, (*shop).storeConfigs},
	{http.MethodGet, "/V1/directory/countries", "", (*shop).countries},
	{http.MethodGet, "/V1/directory/countries/{countryId}", "", (*shop).country},
}

// split takes /rest/{store}/V1/… apart; without a store it is the default one.
func split(u *url.URL) (storeCode string, segments []string, ok bool) {
	parts := strings.Split(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	if len(parts) < 2 || parts[0] != "rest" {
		return "", nil, false
	}
	parts = parts[1:]
	storeCode = "default"
	if parts[0] != "V1" {
		storeCode, parts = parts[0], parts[1:]
	}
	if len(parts) == 0 || parts[0] != "V1" {
		return "", nil, false
	}
	for i, p := range parts {
		decoded, err := url.PathUnescape(p)
		if err != nil {
			return "", nil, false
		}
		parts[i] = decoded
	}
	return storeCode, parts, true
}

// match finds the route of a path; a route without parameters in it goes before one with them.
func match(method string, segments []string) (*route, map[string]string) {
	var found *route
	var foundArgs map[string]string
	for i := range routes {
		rt := &routes[i]
		if rt.method != method {
			continue
		}
		args, ok := fit(rt.template, segments)
		if ok && (found == nil || len(args) < len(foundArgs)) {
			found, foundArgs = rt, args
		}
	}
	return found, foundArgs
}

func fit(template string, segments []string) (map[string]string, bool) {
	parts := strings.Split(template[1:], "/")
	if len(parts) != len(segments) {
		return nil, false
	}
	args := map[string]string{}
	for i, part := range parts {
		name, isParam := strings.CutPrefix(part, "{")
		switch {
		case isParam && segments[i] != "":
			args[strings.TrimSuffix(name, "}")] = segments[i]
		case part != segments[i]:
			return nil, false
		}
	}
	return args, true
}

// Operation names a call for faults and counts: the method and the route without
// its store, "GET /V1/carts/{id}/totals"; "unknown" when there is no such route.
func Operation(r *http.Request, _ []byte) string {
	_, segments, ok := split(r.URL)
	if !ok {
		return "unknown"
	}
	rt, _ := match(r.Method, segments)
	if rt == nil {
		return "unknown"
	}
	return rt.method + " " + rt.template
}

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == "application/json"
}
