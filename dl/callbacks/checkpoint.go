package callbacks

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// ModelCheckpoint saves the model in the course of training. It is used by address, as
// it remembers.
//
// Source: https://keras.io/api/callbacks/model_checkpoint/
type ModelCheckpoint struct {
	Base
	// Path of the file, in which {epoch}, from 1, {batch}, and what is in the logs
	// are filled in: "model-{epoch:02d}-{val_loss:.2f}.safetensors".
	Path string
	// Monitor is the name of the number that SaveBestOnly goes by; "" means
	// "val_loss".
	Monitor string
	// SaveBestOnly saves only when the number is better than ever before.
	SaveBestOnly bool
	// SaveWeightsOnly leaves out all but the weights.
	SaveWeightsOnly bool
	// Mode is Auto unless set.
	Mode Mode
	// SaveFreq saves after so many batches; 0 means at the end of each epoch.
	SaveFreq int

	monitor monitor
	batches int
}

// OnTrainBegin implements Callback.
func (c *ModelCheckpoint) OnTrainBegin(*Training) error {
	if c.Path == "" || c.SaveFreq < 0 {
		return fmt.Errorf("expected a Path, and a SaveFreq of at least 1 batch (or 0 for each epoch), got %q and %d", c.Path, c.SaveFreq)
	}
	c.monitor, c.batches = newMonitor(c.Monitor, c.Mode, 0), 0
	return os.MkdirAll(filepath.Dir(c.Path), 0o755)
}

// OnTrainBatchEnd implements Callback.
func (c *ModelCheckpoint) OnTrainBatchEnd(t *Training) error {
	if c.batches++; c.SaveFreq == 0 || c.batches%c.SaveFreq != 0 {
		return nil
	}
	logs, err := t.Logs()
	if err != nil {
		return err
	}
	return c.save(t, logs)
}

// OnEpochEnd implements Callback.
func (c *ModelCheckpoint) OnEpochEnd(t *Training, logs Logs) error {
	if c.SaveFreq > 0 {
		return nil
	}
	return c.save(t, logs)
}

func (c *ModelCheckpoint) save(t *Training, logs Logs) error {
	if c.SaveBestOnly {
		v, err := c.monitor.value(logs)
		if err != nil {
			return err
		}
		if !c.monitor.better(v, c.monitor.best) {
			return nil
		}
		c.monitor.best = v
	}
	path, err := fillIn(c.Path, t, logs)
	if err != nil {
		return err
	}
	if c.SaveWeightsOnly {
		return t.SaveWeights(path)
	}
	return t.Save(path)
}

var field = regexp.MustCompile(`\{([a-z_0-9]+)(?::([0-9.]*)([dfeg]))?\}`)

// fillIn puts numbers into a path.
func fillIn(path string, t *Training, logs Logs) (out string, err error) {
	out = field.ReplaceAllStringFunc(path, func(f string) string {
		parts := field.FindStringSubmatch(f)
		var v float64
		switch name := parts[1]; name {
		case "epoch":
			v = float64(t.Epoch + 1)
		case "batch":
			v = float64(t.Batch + 1)
		default:
			var ok bool
			if v, ok = logs[name]; !ok {
				err = fmt.Errorf("expected names of logs in Path %q, got %q", path, name)
			}
		}
		switch {
		case parts[3] == "d":
			return fmt.Sprintf("%"+parts[2]+"d", int(v))
		case parts[3] != "":
			return fmt.Sprintf("%"+parts[2]+parts[3], v)
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	})
	return out, err
}

// BackupAndRestore saves training as it goes, and goes on where it was when the program
// is started anew after it was cut off: with the same weights, to the bit on a CPU. The
// file goes away when training is complete.
//
// Source: https://keras.io/api/callbacks/backup_and_restore/
type BackupAndRestore struct {
	Base
	// Path of the file.
	Path string
	// SaveFreq saves after so many batches; 0 means at the end of each epoch.
	SaveFreq int
	// KeepBackup leaves the file when training is complete.
	KeepBackup bool

	batches int
	done    bool
}

// OnTrainBegin implements Callback.
func (b *BackupAndRestore) OnTrainBegin(t *Training) error {
	if b.Path == "" || b.SaveFreq < 0 {
		return fmt.Errorf("expected a Path, and a SaveFreq of at least 1 batch (or 0 for each epoch), got %q and %d", b.Path, b.SaveFreq)
	}
	b.batches, b.done = 0, false
	if err := os.MkdirAll(filepath.Dir(b.Path), 0o755); err != nil {
		return err
	}
	if _, err := os.Stat(b.Path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err := t.Restore(b.Path); err != nil {
		return fmt.Errorf("%w; remove %s to begin anew", err, b.Path)
	}
	return nil
}

// OnTrainBatchEnd implements Callback.
func (b *BackupAndRestore) OnTrainBatchEnd(t *Training) error {
	if b.batches++; b.SaveFreq == 0 || b.batches%b.SaveFreq != 0 {
		return nil
	}
	return t.Save(b.Path)
}

// OnEpochEnd implements Callback.
func (b *BackupAndRestore) OnEpochEnd(t *Training, _ Logs) error {
	b.done = t.Epoch+1 >= t.Epochs || t.Stopped()
	return t.Save(b.Path)
}

// OnTrainEnd implements Callback.
func (b *BackupAndRestore) OnTrainEnd(*Training) error {
	if !b.done || b.KeepBackup {
		return nil
	}
	return os.Remove(b.Path)
}
