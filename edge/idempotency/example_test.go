package idempotency_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/portico-bff/portico/edge/idempotency"
	"github.com/portico-bff/portico/edge/ledger"
	"github.com/portico-bff/portico/schema/commerce"
)

func ExampleStore_Do() {
	store := idempotency.New(ledger.NewMemory(), 5*time.Second, slog.New(slog.DiscardHandler))
	request := idempotency.Request{
		Principal: commerce.Principal{Tenant: "default", Subject: "C1"},
		Operation: "lineAdd", Key: "a1b2", Body: []byte(`{"sku":"MUG-RED"}`),
	}
	for range 2 {
		answer, replayed, err := store.Do(context.Background(), request, func(context.Context) (idempotency.Answer, error) {
			fmt.Println("adding a line")
			return idempotency.Answer{Status: http.StatusOK, Body: []byte("{}")}, nil
		})
		fmt.Println(answer.Status, replayed, err)
	}
	// Output:
	// adding a line
	// 200 false <nil>
	// 200 true <nil>
}
