package magento

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

func TestMoneyStaysExact(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"49.9": "49.90", "165": "165.00", "0": "0.00", "-0": "0.00", "-0.0": "0.00", "-5": "-5.00", "1.2345": "1.2345", "0.1": "0.10",
		"54.900000000000006": "54.90", "1e2": "100.00", "1.5E-3": "0.0015", "999999999999999.99": "999999999999999.99", "2.1200": "2.12",
	} {
		got, err := money(json.Number(in), "USD")
		require.NoError(t, err, in)
		assert.Equal(t, want, got.Number(), in)
	}
	yen, err := money("100", "JPY")
	require.NoError(t, err)
	assert.Equal(t, "100", yen.Number())
	for _, bad := range []string{"", "x", "1,5", "NaN", "Infinity", "1e999", "--1", "1.", ".5", "0x10", strings.Repeat("9", 40)} {
		_, err := money(json.Number(bad), "USD")
		require.Error(t, err, bad)
	}
	_, err = money("1", "")
	require.Error(t, err)
}

func TestPieces(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{"0": 0, "2": 2, "2.0000": 2, "10000": 10000} {
		got, err := pieces(json.Number(in))
		require.NoError(t, err, in)
		assert.Equal(t, want, got)
	}
	for _, bad := range []string{"", "1.5", "-1", "x", "99999999999"} {
		_, err := pieces(json.Number(bad))
		require.Error(t, err, bad)
	}
}

func TestEmptyObjectsMayBeLists(t *testing.T) {
	t.Parallel()
	for _, in := range []string{`[]`, `[ ]`, `null`, `{}`} {
		var o object[wireCustomer]
		require.NoError(t, json.Unmarshal([]byte(in), &o), in)
		assert.Zero(t, o.Value, in)
	}
	var o object[wireCustomer]
	require.NoError(t, json.Unmarshal([]byte(`{"id":"7"}`), &o))
	assert.Equal(t, text("7"), o.Value.ID)
	require.Error(t, json.Unmarshal([]byte(`[1]`), &o))
	require.Error(t, json.Unmarshal([]byte(`"x"`), &o))
}

func answer(status int, body string) *transport.Response {
	return &transport.Response{Status: status, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, Body: []byte(body)}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]commerce.InputError{
		`{"message":"The requested qty is not available"}`:                                                                                                         {Field: "quantity", Code: commerce.CodeOutOfStock},
		`{"message":"Product that you are trying to add is not available."}`:                                                                                       {Field: "quantity", Code: commerce.CodeOutOfStock},
		`{"message":"Not enough items for sale"}`:                                                                                                                  {Field: "quantity", Code: commerce.CodeOutOfStock},
		`{"message":"This product is out of stock."}`:                                                                                                              {Field: "quantity", Code: commerce.CodeOutOfStock},
		`{"message":"The most you may purchase is %1.","parameters":[10000]}`:                                                                                      {Field: "quantity", Code: commerce.CodeOutOfRange},
		`{"message":"The product that was requested doesn't exist. Verify the product and try again."}`:                                                            {Field: "sku", Code: commerce.CodeUnknownProduct},
		`{"message":"The coupon code isn't valid. Verify the code and try again."}`:                                                                                {Field: "code", Code: commerce.CodeCouponInvalid},
		`{"message":"The coupon code isn’t valid."}`:                                                                                                               {Field: "code", Code: commerce.CodeCouponInvalid},
		`{"message":"The %1 Cart doesn't contain the %2 item.","parameters":["12","7"]}`:                                                                           {Field: "lineId", Code: commerce.CodeUnknownLine},
		`{"message":"The \"%1\" Cart doesn't contain products.","parameters":[12]}`:                                                                                {Field: "cartId", Code: commerce.CodeCartEmpty},
		`{"message":"Carrier with such method not found: %1, %2","parameters":["a","b"]}`:                                                                          {Field: "methodCode", Code: commerce.CodeShippingMethod},
		`{"message":"The requested Payment Method is not available."}`:                                                                                             {Field: "paymentMethod", Code: commerce.CodePaymentMethod},
		`{"message":"Please check the shipping address information. %1","parameters":["\"telephone\" is required. Enter and try again."]}`:                         {Field: "shippingAddress.phone", Code: commerce.CodeRequired},
		`{"message":"Please check the billing address information. %1","parameters":["\"regionId\" is required. Enter and try again."]}`:                           {Field: "billingAddress.region", Code: commerce.CodeRequired},
		`{"message":"Please check the shipping address information. Invalid value of \"XX\" provided for the countryId field."}`:                                   {Field: "shippingAddress.country", Code: commerce.CodeUnsupported},
		`{"message":"One or more input exceptions have occurred.","errors":[{"message":"\"%fieldName\" is required. Enter.","parameters":{"fieldName":"email"}}]}`: {Field: "email", Code: commerce.CodeRequired},
		`{"message":"Something new"}`: {Code: commerce.CodeInvalid},
	} {
		err := refused(traitsOf(commerce.OpLineAdd), answer(400, body))
		var input *commerce.InputError
		require.ErrorAs(t, err, &input, body)
		assert.Equal(t, want.Field, input.Field, body)
		assert.Equal(t, want.Code, input.Code, body)
		assert.NotEmpty(t, input.Message)
	}
}

func TestAbsence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		body string
		kind error
	}{
		{`{"message":"No such entity with %fieldName = %fieldValue","parameters":{"fieldName":"cartId","fieldValue":"x"}}`, commerce.ErrNotFound},
		{`{"message":"No such entity with %fieldName = %fieldValue","parameters":{"fieldName":"customerId","fieldValue":"7"}}`, commerce.ErrNotFound},
		{`{"message":"No such entity with cartId = 7"}`, commerce.ErrNotFound},
		{`{"message":"The entity that was requested doesn't exist. Verify the entity and try again."}`, commerce.ErrNotFound},
		{`{"message":"Request does not match any route."}`, commerce.ErrUpstream},
		{`{"message":"No such entity with %1 = %2","parameters":["sku","x"]}`, commerce.ErrUpstream},
		{`{}`, commerce.ErrUpstream},
	} {
		require.ErrorIs(t, refused(traitsOf(commerce.OpCartRead), answer(404, c.body)), c.kind, c.body)
	}
}

func TestFill(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ message, parameters, want string }{
		{"a %1 b %2", `["x","y"]`, "a x b y"},
		{"%1%10", `["a",2,3,4,5,6,7,8,9,"j"]`, "aj"},
		{"%field %fieldName %fieldValue", `{"field":"f","fieldName":"n","fieldValue":1.50}`, "f n 1.5"},
		{"nothing %1", `null`, "nothing %1"},
		{"nothing %1", `"odd"`, "nothing %1"},
		{"%1", `["%2","x"]`, "%2"},
	} {
		assert.Equal(t, tc.want, fill(tc.message, json.RawMessage(tc.parameters)))
	}
	assert.Equal(t, "%1", fill("%1", nil))
}

// The example of RFC 5849, 3.4.1.1, with its body's parameters in the query.
func TestBaseStringOfTheRFC(t *testing.T) {
	t.Parallel()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b&c2=&a3=2+q", nil)
	got := baseString(req, [][2]string{
		{"oauth_consumer_key", "9djdj82h48djs9d2"},
		{"oauth_token", "kkk9d7dh3k39sjv7"},
		{"oauth_signature_method", "HMAC-SHA1"},
		{"oauth_timestamp", "137131201"},
		{"oauth_nonce", "7d8f3e4a"},
	})
	assert.Equal(t, "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26"+
		"oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7", got)
}

func TestTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var all turns
		one, two := &opened{id: "c_1", owner: "1"}, &opened{id: "c_2", owner: "1"}
		thief, err := all.take(t.Context(), commerce.OpLineAdd, &opened{id: "c_1", owner: "2"})
		require.NoError(t, err)
		defer thief()
		release, err := all.take(t.Context(), commerce.OpLineAdd, one)
		require.NoError(t, err)
		other, err := all.take(t.Context(), commerce.OpLineAdd, two)
		require.NoError(t, err, "another cart does not wait")
		other()

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = all.take(ctx, commerce.OpLineAdd, one)
		require.ErrorIs(t, err, commerce.ErrTimeout)
		gone, leave := context.WithCancel(t.Context())
		leave()
		_, err = all.take(gone, commerce.OpLineAdd, one)
		require.ErrorIs(t, err, context.Canceled)

		waited := make(chan struct{})
		go func() {
			defer close(waited)
			again, err := all.take(t.Context(), commerce.OpLineAdd, one)
			if assert.NoError(t, err) {
				again()
			}
		}()
		synctest.Wait()
		release()
		<-waited
		assert.Len(t, all.carts, 1, "nothing is kept of carts that nobody uses")
	})
}

func TestEveryOperationIsDeclared(t *testing.T) {
	t.Parallel()
	table := Traits()
	for _, op := range []commerce.Operation{
		commerce.OpCartCreate, commerce.OpCartMerge, commerce.OpLineAdd, commerce.OpLineSet, commerce.OpLineRemove,
		commerce.OpCouponApply, commerce.OpCouponRemove, commerce.OpShippingSet, commerce.OpPlace,
	} {
		assert.Equal(t, commerce.Write, table[op].Access, op)
	}
	for op, declared := range table {
		assert.Equal(t, op, declared.Operation)
		assert.Equal(t, System, declared.System)
		assert.NotEqual(t, commerce.ScopePublic, declared.Scope)
		assert.NotEqual(t, commerce.ScopeSegment, declared.Scope)
	}
}

// N16: whatever an answer holds, it is a cart, an order or an error.
func FuzzAnswers(f *testing.F) {
	f.Add(`{"id":1,"is_active":true,"items":[{"item_id":1,"sku":"A","qty":2,"price":1.5}],"customer":[],"currency":{"quote_currency_code":"USD"},`+
		`"extension_attributes":{"shipping_assignments":[{"shipping":{"address":[],"method":"a_b"}}]}}`,
		`{"subtotal":3,"grand_total":3,"quote_currency_code":"USD","items":[{"item_id":1,"qty":2,"row_total":3}],"total_segments":[{"code":"shipping","title":"x (y)"}]}`)
	f.Add(`{"message":"%1 %a","parameters":["x"]}`, `{"message":"%1 %a","parameters":{"a":{}},"errors":[{"message":"x"}]}`)
	f.Fuzz(func(t *testing.T, first, second string) {
		var quote wireCart
		var totals wireTotals
		if json.Unmarshal([]byte(first), &quote) == nil && json.Unmarshal([]byte(second), &totals) == nil {
			cart, err := toCart("c_1", &quote, &totals, nil)
			assert.Equal(t, err == nil, cart != nil)
		}
		var order wireOrder
		if json.Unmarshal([]byte(first), &order) == nil {
			got, err := order.order()
			assert.Equal(t, err == nil, got != nil)
		}
		for _, status := range []int{302, 400, 401, 404, 418} {
			require.Error(t, refused(traitsOf(commerce.OpLineAdd), answer(status, first)))
		}
		if last, seen, err := parseCursor(second); err == nil && second != "" {
			assert.Regexp(t, numberPattern, last)
			assert.Positive(t, seen)
		}
	})
}
