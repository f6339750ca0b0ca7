package format

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/dl/layers"
)

// setShapes gives axes of inputs that a file leaves open their lengths, by the names of the
// inputs' layers; shapes are without the batch.
func setShapes(c map[string]any, shapes map[string]layers.Shape) error {
	left := maps.Clone(shapes)
	if err := setOpen(c, shapes, left); err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("the file has no inputs named %s", strings.Join(slices.Sorted(maps.Keys(left)), ", "))
	}
	return nil
}

func setOpen(c map[string]any, shapes, left map[string]layers.Shape) error {
	for _, raw := range list(c["layers"]) {
		entry, _ := raw.(map[string]any)
		fields, _ := entry["config"].(map[string]any)
		if fields["layers"] != nil {
			if err := setOpen(fields, shapes, left); err != nil {
				return err
			}
			continue
		}
		name, _ := fields["name"].(string)
		shape, ok := shapes[name]
		if entry["class_name"] != "InputLayer" || !ok {
			continue
		}
		delete(left, name)
		all := list(fields["batch_shape"])
		if len(all) != len(shape)+1 {
			return fmt.Errorf("input %q: expected a shape of %d axes behind the batch, got %v", name, len(all)-1, shape)
		}
		for i, d := range all[1:] {
			if n, known := d.(float64); known && int(n) != shape[i] {
				return fmt.Errorf("input %q: the file says %v, which %v does not fit", name, all, shape)
			}
			all[1+i] = float64(shape[i])
		}
	}
	return nil
}
