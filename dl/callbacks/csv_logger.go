package callbacks

import (
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strconv"
)

// CSVLogger writes the logs of each epoch into a file: a line of names, and a line for
// each epoch. It is used by address, as it keeps the file open.
//
// Source: https://keras.io/api/callbacks/csv_logger/
type CSVLogger struct {
	Base
	// Path of the file.
	Path string
	// Separator 0 means a comma.
	Separator rune
	// Append goes on in a file that there is, rather than begin a new one.
	Append bool

	file  *os.File
	w     *csv.Writer
	names []string
}

// OnTrainBegin implements Callback.
func (c *CSVLogger) OnTrainBegin(*Training) error {
	c.names = nil
	flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if c.Append {
		flags = os.O_CREATE | os.O_WRONLY | os.O_APPEND
		if f, err := os.Open(c.Path); err == nil {
			r := c.reader(f)
			c.names, _ = r.Read() // an empty file has none
			_ = f.Close()
		}
	}
	var err error
	if c.file, err = os.OpenFile(c.Path, flags, 0o644); err != nil {
		return err
	}
	c.w = csv.NewWriter(c.file)
	if c.Separator != 0 {
		c.w.Comma = c.Separator
	}
	return nil
}

func (c *CSVLogger) reader(f *os.File) *csv.Reader {
	r := csv.NewReader(f)
	if c.Separator != 0 {
		r.Comma = c.Separator
	}
	return r
}

// OnEpochEnd implements Callback.
func (c *CSVLogger) OnEpochEnd(t *Training, logs Logs) error {
	if c.names == nil {
		for n := range logs {
			c.names = append(c.names, n)
		}
		slices.Sort(c.names)
		c.names = append([]string{"epoch"}, c.names...)
		if err := c.w.Write(c.names); err != nil {
			return err
		}
	}
	line := []string{strconv.Itoa(t.Epoch)}
	for _, n := range c.names[1:] {
		v, ok := logs[n]
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if !ok {
			text = "NA"
		}
		line = append(line, text)
	}
	if err := c.w.Write(line); err != nil {
		return err
	}
	c.w.Flush()
	return c.w.Error()
}

// OnTrainEnd implements Callback.
func (c *CSVLogger) OnTrainEnd(*Training) error {
	if c.file == nil {
		return nil
	}
	if err := c.file.Close(); err != nil {
		return fmt.Errorf("cannot close %s: %w", c.Path, err)
	}
	return nil
}
