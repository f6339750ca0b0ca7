// Package gonb lets viz show things in notebooks of GoNB. Gradbook's kernel has it
// in every cell; a cell of a GoNB that Gradbook did not set up imports it for that:
//
//	import _ "github.com/gradbook/gradbook/viz/gonb"
//
// Without it viz prints the texts of its charts.
package gonb

import (
	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/gradbook/gradbook/viz/internal/frontend"
)

func init() { frontend.Current = pipe{} }

// pipe is the way by which gonbui reaches the notebook.
type pipe struct{}

func (pipe) Live() bool { return gonbui.IsNotebook }

func (pipe) Send(data map[string]string, id string) error {
	d := &protocol.DisplayData{Data: make(map[protocol.MIMEType]any, len(data)), DisplayID: id}
	for mime, content := range data {
		d.Data[protocol.MIMEType(mime)] = content
	}
	gonbui.SendData(d)
	gonbui.Sync() // or a cell that ends now would end before it is shown
	return gonbui.Error()
}
