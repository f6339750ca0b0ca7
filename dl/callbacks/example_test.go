package callbacks_test

import (
	"fmt"
	"os"

	"github.com/gradbook/gradbook/dl/callbacks"
)

// Patience stops training when the loss has not fallen in an epoch.
type Patience struct {
	callbacks.Base
	best float64
}

func (p *Patience) OnEpochEnd(t *callbacks.Training, logs callbacks.Logs) error {
	if t.Epoch > 0 && logs["loss"] >= p.best {
		t.Stop()
	}
	p.best = logs["loss"]
	return nil
}

// A callback of one's own embeds Base and defines what it needs. Fit calls it.
func ExampleBase() {
	p, t := &Patience{}, &callbacks.Training{Epochs: 3}
	for epoch, loss := range []float64{0.5, 0.4, 0.4} {
		t.Epoch = epoch
		if err := p.OnEpochEnd(t, callbacks.Logs{"loss": loss}); err != nil {
			panic(err)
		}
		fmt.Println(loss, t.Stopped())
	}
	// Output:
	// 0.5 false
	// 0.4 false
	// 0.4 true
}

func ExampleLambdaCallback() {
	c := callbacks.LambdaCallback{EpochEnd: func(t *callbacks.Training, logs callbacks.Logs) error {
		_, err := fmt.Fprintf(os.Stdout, "epoch %d: %.2f\n", t.Epoch+1, logs["loss"])
		return err
	}}
	if err := c.OnEpochEnd(&callbacks.Training{}, callbacks.Logs{"loss": 0.25}); err != nil {
		panic(err)
	}
	// Output: epoch 1: 0.25
}
