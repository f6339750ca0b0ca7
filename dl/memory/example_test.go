package memory_test

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/memory"
)

func ExampleLimit() {
	const want = 1 << 20
	if limit := memory.Limit(); limit == 0 || limit > want {
		fmt.Println("there may be room for a megabyte")
	}
	// Output: there may be room for a megabyte
}
