module github.com/portico-bff/portico/schema

go 1.26.0

require (
	github.com/bojanz/currency v1.4.0
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/cockroachdb/apd/v3 v3.2.1 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)
