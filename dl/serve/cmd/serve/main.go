// Serve is what "gradbook serve" runs: a service for models that XLA computes.
package main

import (
	"github.com/gradbook/gradbook/dl/serve"
	"github.com/gradbook/gradbook/dl/serve/cli"
	"github.com/gradbook/gradbook/dl/serve/xla"
)

func main() { cli.Main(serve.Config{Load: xla.Load}) }
