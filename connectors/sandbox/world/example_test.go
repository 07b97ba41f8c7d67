package world_test

import (
	"fmt"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

func ExampleWorld_UnitPrice() {
	w, err := world.Load()
	if err != nil {
		fmt.Println(err)
		return
	}
	helmet := w.BySKU("HL-U509-R")
	retail, _ := w.UnitPrice(helmet.ID, world.Retail, "EUR", 1)
	wholesale, _ := w.UnitPrice(helmet.ID, world.Wholesale, "EUR", 25)
	fmt.Println(retail, wholesale)
	// Output: 32.19 EUR 24.14 EUR
}
