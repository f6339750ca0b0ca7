package dl

import "github.com/gradbook/gradbook/dl/data"

// SetSchema keeps, with the model and in its file, what the columns of its tables are, so that
// tables at prediction are read as the one that it was trained with. nil forgets it.
func (m *Model) SetSchema(s *data.Schema) {
	m.m.Lock.Lock()
	defer m.m.Lock.Unlock()
	m.m.Schema = s
}

// Schema is what SetSchema was given, in this program or in the one that saved the model; nil if
// nothing was.
func (m *Model) Schema() *data.Schema {
	m.m.Lock.Lock()
	defer m.m.Lock.Unlock()
	return m.m.Schema
}
