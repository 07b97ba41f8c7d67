module github.com/portico-bff/portico/e2e

go 1.26.0

require (
	github.com/redis/go-redis/v9 v9.23.0
	github.com/stretchr/testify v1.12.1
	go.uber.org/goleak v1.3.0
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	go.uber.org/atomic v1.12.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.48.0 // indirect
)

replace github.com/portico-bff/portico/bff-mobile => ../bff-mobile

replace github.com/portico-bff/portico/bff-web => ../bff-web

replace github.com/portico-bff/portico/cache => ../cache

replace github.com/portico-bff/portico/connectors => ../connectors

replace github.com/portico-bff/portico/demo => ../demo

replace github.com/portico-bff/portico/edge => ../edge

replace github.com/portico-bff/portico/schema => ../schema
