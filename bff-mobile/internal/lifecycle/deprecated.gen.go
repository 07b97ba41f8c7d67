// Code generated from the contract by go generate; DO NOT EDIT.

package lifecycle

var deprecated = map[string]deprecation{
	"GET /v1/screens/cart/:cartId": {query: map[string]notice{
		"width": {at: 1795219200, sunset: 1826755200},
	}},
	"GET /v1/screens/categories/:id": {query: map[string]notice{
		"width": {at: 1795219200, sunset: 1826755200},
	}},
	"GET /v1/screens/home": {query: map[string]notice{
		"width": {at: 1795219200, sunset: 1826755200},
	}},
	"GET /v1/screens/products/:sku": {query: map[string]notice{
		"width": {at: 1795219200, sunset: 1826755200},
	}},
	"GET /v1/screens/search": {query: map[string]notice{
		"width": {at: 1795219200, sunset: 1826755200},
	}},
}
