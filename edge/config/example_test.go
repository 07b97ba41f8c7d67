package config_test

import (
	"fmt"
	"time"

	"github.com/portico-bff/portico/edge/config"
)

func ExampleDecode() {
	var limits struct {
		Timeout time.Duration `env:"TIMEOUT" envDefault:"5s" doc:"How long a call may take."`
		Retries int           `env:"RETRIES" envDefault:"2" doc:"How often it is repeated."`
	}
	err := config.Decode([]string{"PIM_TIMEOUT=soon", "PIM_RETRIES=many"}, "PIM_", &limits)
	fmt.Println(err)
	fmt.Print(config.Doc(config.Section{Title: "Limits", Prefix: "PIM_", Config: limits}))
	// Output:
	// PIM_TIMEOUT must be a duration such as 1.5s or 200ms
	// PIM_RETRIES must be a whole number
	// ### Limits
	//
	// | variable | default | meaning |
	// | --- | --- | --- |
	// | `PIM_TIMEOUT` | `5s` | How long a call may take. |
	// | `PIM_RETRIES` | `2` | How often it is repeated. |
}
