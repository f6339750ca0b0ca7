package install

import (
	"context"

	"github.com/gradbook/gradbook/datasets"
)

// mnist parses the digits into the user's cache folder.
func (l Layout) mnist() step {
	return step{
		name:        "mnist",
		fingerprint: func(context.Context) (string, error) { return datasets.MNISTPath() },
		present: func() bool {
			path, err := datasets.MNISTPath()
			return err == nil && exists(path)
		},
		run: func(ctx context.Context, p *Progress) error {
			p.Note("verifying and parsing 70,000 digits")
			return interruptible(ctx, func() error {
				_, _, err := datasets.MNIST()
				return err
			})
		},
	}
}
