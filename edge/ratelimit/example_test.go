package ratelimit_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/portico-bff/portico/edge/ratelimit"
)

func ExampleLimiter() {
	limiter, err := ratelimit.New(ratelimit.Config{Address: 60}, ratelimit.Deps{Log: slog.Default()})
	if err != nil {
		panic(err)
	}
	client := limiter.Client("203.0.113.1:4711", nil)
	fmt.Println(client.Both(context.Background(), 60) == nil)
	refused := client.Both(context.Background(), 1)
	fmt.Println(refused.Budget, refused.Seconds())
	policy, _ := client.Fields()
	fmt.Println(policy)
	// Output:
	// true
	// address 1
	// "address";q=60;w=60
}
