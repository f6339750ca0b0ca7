package train

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/internal/engine"
)

// forBatch says what to do if the memory did not suffice for a batch.
func forBatch(err error, size int) error {
	return engine.OutOfMemory(err, fmt.Sprintf("a batch of %d examples", size),
		"lower the batch size, make the model smaller, or compute in half precision (SetDTypePolicy); other notebooks on the same device hold memory too")
}
