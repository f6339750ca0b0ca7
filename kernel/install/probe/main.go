// Probe is the program that setup builds as a cell would be: it imports what
// cells import, so that their first build finds it compiled, and it tells which
// device they will compute on.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	_ "github.com/gradbook/gradbook/datasets"
	"github.com/gradbook/gradbook/dl"
	_ "github.com/gradbook/gradbook/dl/activations"
	_ "github.com/gradbook/gradbook/dl/callbacks"
	_ "github.com/gradbook/gradbook/dl/data"
	_ "github.com/gradbook/gradbook/dl/initializers"
	_ "github.com/gradbook/gradbook/dl/layers"
	_ "github.com/gradbook/gradbook/dl/losses"
	_ "github.com/gradbook/gradbook/dl/metrics"
	_ "github.com/gradbook/gradbook/dl/optimizers"
	_ "github.com/gradbook/gradbook/viz"
	_ "github.com/gradbook/gradbook/viz/widgets"
)

func main() {
	info, err := dl.Device()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(info); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
