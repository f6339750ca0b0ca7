package viz

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"

	"github.com/gradbook/gradbook/viz/internal/frontend"
)

// The MIME types of what viz shows.
const (
	// MIMEChart is a chart for JupyterLab's extension: an object with the
	// echarts option and, in pixels, a height and a greatest width.
	MIMEChart = "application/vnd.gradbook.echarts.v1+json"
	MIMESVG   = "image/svg+xml"
	MIMEPNG   = "image/png"
	MIMEPlain = "text/plain"
)

// Bundle is one thing in several forms, by MIME type. Who shows it takes the
// richest form that he knows. PNG is base64, all else is text.
type Bundle map[string]string

// Viewable is what can be shown.
type Viewable interface {
	Bundle() (Bundle, error)
}

// Show shows things below the cell, one after the other. In a program that is
// not a notebook's cell it prints their texts.
func Show(things ...Viewable) error {
	for _, t := range things {
		if t == nil || isNil(t) {
			return fmt.Errorf("viz: expected things to show, got nil")
		}
		b, err := t.Bundle()
		if err != nil {
			return fmt.Errorf("viz: %w", err)
		}
		if err := b.publish(""); err != nil {
			return fmt.Errorf("viz: %w", err)
		}
	}
	return nil
}

// publish shows the bundle: in the notebook, in the place of what was shown with the
// same id, if there is one, and else as text.
func (b Bundle) publish(id string) error {
	if !frontend.Live() {
		_, err := fmt.Fprintln(os.Stdout, b[MIMEPlain])
		return err
	}
	return b.send(id)
}

func (b Bundle) send(id string) error { return frontend.Current.Send(b, id) }

// Display is a place below a cell whose contents can be replaced, also by cells
// that come later.
type Display struct{ id string }

// NewDisplay makes a display. It appears where something is first shown in it.
func NewDisplay() *Display {
	var b [12]byte
	_, _ = rand.Read(b[:]) // it never fails
	return &Display{hex.EncodeToString(b[:])}
}

// Show shows a thing in the display, in the place of what was there. In a program
// that is not a notebook it prints the thing's text.
//
// Source: IPython.display.DisplayHandle.
func (d *Display) Show(v Viewable) error {
	b, err := v.Bundle()
	if err != nil {
		return fmt.Errorf("viz: %w", err)
	}
	if err := b.publish(d.id); err != nil {
		return fmt.Errorf("viz: %w", err)
	}
	return nil
}

// mimeClear asks the session to clear a cell's output. Its content is "wait" if
// that is to happen when the next output comes.
const mimeClear = "application/vnd.gradbook.clear-output"

// ClearOutput clears what is below the cell: at once or, with wait, when
// something new is shown, which does not flicker. Outside of a notebook it does
// nothing.
//
// Source: IPython.display.clear_output.
func ClearOutput(wait bool) error {
	if !frontend.Live() {
		return nil
	}
	content := ""
	if wait {
		content = "wait"
	}
	return frontend.Current.Send(map[string]string{mimeClear: content}, "")
}
