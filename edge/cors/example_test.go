package cors_test

import (
	"fmt"

	"github.com/portico-bff/portico/edge/cors"
)

func ExamplePolicy_Allowed() {
	policy, err := cors.New(cors.Config{Origins: []string{"https://shop.example"}})
	if err != nil {
		panic(err)
	}
	fmt.Println(policy.Allowed("https://shop.example"), policy.Allowed("https://shop.example.evil.test"), policy.Allowed("null"))
	// Output: true false false
}
