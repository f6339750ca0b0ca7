package gateway

import (
	"reflect"
	"testing"
)

// TestDescribed: a picture has its words, unless it brings some.
func TestDescribed(t *testing.T) {
	for _, c := range []struct{ data, metadata, want map[string]any }{
		{map[string]any{"text/plain": "a cat", "image/png": "…"}, nil, map[string]any{"image/png": map[string]any{"alt": "a cat"}}},
		{
			map[string]any{"text/plain": "a cat", "image/png": "…"},
			map[string]any{"image/png": map[string]any{"width": 3, "alt": "a dog"}, "k": 1},
			map[string]any{"image/png": map[string]any{"width": 3, "alt": "a dog"}, "k": 1},
		},
		{map[string]any{"text/plain": "a curve", "image/svg+xml": "…"}, map[string]any{}, map[string]any{"image/svg+xml": map[string]any{"alt": "a curve"}}},
		{map[string]any{"text/plain": "3"}, nil, map[string]any{}},
		{map[string]any{"image/png": "…"}, nil, map[string]any{}},
	} {
		if got := described(c.data, c.metadata); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v, %v: expected %v, got %v", c.data, c.metadata, c.want, got)
		}
	}
}
