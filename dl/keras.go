package dl

import "errors"

func loadKeras(path string) (*Model, error)         { return nil, errors.New("todo") }
func (m *Model) loadKerasWeights(path string) error { return errors.New("todo") }
