package magento

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// object is a JSON object that PHP writes as [] when it has no properties.
type object[T any] struct{ Value T }

// UnmarshalJSON accepts an object, [] and null.
func (o *object[T]) UnmarshalJSON(data []byte) error {
	trimmed := bytes.TrimSpace(data)
	if bytes.Equal(trimmed, []byte("null")) || bytes.HasPrefix(trimmed, []byte("[")) && len(bytes.TrimSpace(trimmed[1:len(trimmed)-1])) == 0 {
		return nil
	}
	return json.Unmarshal(data, &o.Value)
}

// text is a JSON string or number, kept as it is written: ids come as both.
type text string

// UnmarshalJSON accepts a string, a number and null.
func (t *text) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, (*string)(t))
	}
	var n json.Number
	if err := json.Unmarshal(data, &n); err != nil {
		return err
	}
	*t = text(n)
	return nil
}

type wireCart struct {
	ID        text                 `json:"id"`
	Active    *bool                `json:"is_active"`
	Items     []wireItem           `json:"items"`
	Customer  object[wireCustomer] `json:"customer"`
	Currency  object[wireCurrency] `json:"currency"`
	Billing   object[wireAddress]  `json:"billing_address"`
	Extension object[wireCartExt]  `json:"extension_attributes"`
}

type wireItem struct {
	ItemID text        `json:"item_id"`
	SKU    string      `json:"sku"`
	Name   string      `json:"name"`
	Qty    json.Number `json:"qty"`
	Price  json.Number `json:"price"`
}

type wireCurrency struct {
	Quote string `json:"quote_currency_code"`
}

type wireCartExt struct {
	Assignments []wireAssignment `json:"shipping_assignments"`
}

type wireAssignment struct {
	Shipping object[wireShipping] `json:"shipping"`
}

type wireShipping struct {
	Address object[wireAddress] `json:"address"`
	Method  string              `json:"method"`
}

// wireAddress is read from and written to carts, and read from orders.
type wireAddress struct {
	FirstName  string   `json:"firstname"`
	LastName   string   `json:"lastname"`
	Company    string   `json:"company,omitempty"`
	Street     []string `json:"street"`
	City       string   `json:"city"`
	Region     string   `json:"region,omitempty"`
	RegionID   text     `json:"region_id,omitempty"`
	RegionCode string   `json:"region_code,omitempty"`
	Postcode   string   `json:"postcode"`
	Country    string   `json:"country_id"`
	Phone      string   `json:"telephone,omitempty"`
	Email      string   `json:"email,omitempty"`
}

type wireTotals struct {
	Subtotal json.Number       `json:"subtotal"`
	Discount json.Number       `json:"discount_amount"`
	Shipping json.Number       `json:"shipping_amount"`
	Tax      json.Number       `json:"tax_amount"`
	Total    json.Number       `json:"grand_total"`
	Currency string            `json:"quote_currency_code"`
	Coupon   string            `json:"coupon_code"`
	Items    []wireTotalsItem  `json:"items"`
	Segments []wireTotalsTitle `json:"total_segments"`
}

type wireTotalsItem struct {
	ItemID   text        `json:"item_id"`
	Qty      json.Number `json:"qty"`
	RowTotal json.Number `json:"row_total"`
}

type wireTotalsTitle struct {
	Code  string `json:"code"`
	Title string `json:"title"`
}

type wirePayment struct {
	Code  string `json:"code"`
	Title string `json:"title"`
}

type wireMethod struct {
	Carrier      string      `json:"carrier_code"`
	Method       string      `json:"method_code"`
	CarrierTitle string      `json:"carrier_title"`
	MethodTitle  string      `json:"method_title"`
	Amount       json.Number `json:"amount"`
	Available    *bool       `json:"available"`
}

type wireCustomer struct {
	ID    text   `json:"id"`
	Email string `json:"email"`
}

type wireCustomers struct {
	Items []wireCustomer `json:"items"`
	Total *int           `json:"total_count"`
}

type wireOrders struct {
	Items []wireOrder `json:"items"`
	Total *int        `json:"total_count"`
}

type wireOrder struct {
	EntityID   text                 `json:"entity_id"`
	Number     string               `json:"increment_id"`
	QuoteID    text                 `json:"quote_id"`
	CustomerID text                 `json:"customer_id"`
	Email      string               `json:"customer_email"`
	State      string               `json:"state"`
	CreatedAt  string               `json:"created_at"`
	Currency   string               `json:"order_currency_code"`
	Subtotal   json.Number          `json:"subtotal"`
	Discount   json.Number          `json:"discount_amount"`
	Shipping   json.Number          `json:"shipping_amount"`
	Tax        json.Number          `json:"tax_amount"`
	Total      json.Number          `json:"grand_total"`
	Items      []wireOrderItem      `json:"items"`
	Extension  object[wireOrderExt] `json:"extension_attributes"`
}

type wireOrderItem struct {
	Parent   text        `json:"parent_item_id"`
	SKU      string      `json:"sku"`
	Name     string      `json:"name"`
	Price    json.Number `json:"price"`
	RowTotal json.Number `json:"row_total"`
	Ordered  json.Number `json:"qty_ordered"`
	Shipped  json.Number `json:"qty_shipped"`
}

type wireOrderExt struct {
	Assignments []wireAssignment `json:"shipping_assignments"`
}

type wireCountry struct {
	ID      string   `json:"id"`
	Regions []region `json:"available_regions"`
}

// region is a state or province as Magento numbers it.
type region struct {
	ID   text   `json:"id"`
	Code string `json:"code"`
	Name string `json:"name"`
}

// The bodies that are sent.
type (
	sendItem struct {
		Item sendCartItem `json:"cartItem"`
	}
	sendCartItem struct {
		SKU     string `json:"sku,omitempty"`
		Qty     int    `json:"qty"`
		ItemID  string `json:"item_id,omitempty"`
		QuoteID string `json:"quote_id"`
	}
	sendAddress struct {
		Address wireAddress `json:"address"`
	}
	sendShipping struct {
		Info sendShippingInfo `json:"addressInformation"`
	}
	sendShippingInfo struct {
		Shipping wireAddress `json:"shipping_address"`
		Billing  wireAddress `json:"billing_address"`
		Carrier  string      `json:"shipping_carrier_code"`
		Method   string      `json:"shipping_method_code"`
	}
	sendPayment struct {
		Email   string     `json:"email,omitempty"`
		Payment sendMethod `json:"paymentMethod"`
	}
	sendMethod struct {
		Method string `json:"method"`
	}
)

func encodeBody(v any) ([]byte, http.Header, error) {
	if v == nil {
		return nil, nil, nil
	}
	body, err := json.Marshal(v)
	return body, http.Header{"Content-Type": {"application/json"}}, err
}
