package dl

import "fmt"

// edge marks an error that leaves the package. Every exported function that can
// fail defers it; inside, errors say only what is wrong.
func edge(err *error) {
	if *err != nil {
		*err = fmt.Errorf("dl: %w", *err)
	}
}
