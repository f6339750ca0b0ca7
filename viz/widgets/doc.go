// Package widgets has controls that a reader of a notebook moves, presses and
// draws on, and to which its program reacts. They are Jupyter's widgets, with
// their names and their protocol: they work in every front end that has them, and
// are there again when the page is loaded anew.
//
//	k := &widgets.IntSlider{Description: "k", Min: 1, Max: 10, Initial: 3}
//	answer := &widgets.Label{}
//	k.OnChange(func(v int) { answer.Set(fmt.Sprint(v * v)) })
//	viz.Show(k, answer)
//
// A widget's Value is up to date at any time, also while a cell runs. What OnChange
// and OnClick were given is called when no cell runs, one call at a time, so it may
// use the notebook's variables as a cell does.
//
// In a program that is not a notebook widgets have values, and show them as text.
//
// Source: https://ipywidgets.readthedocs.io/en/stable/examples/Widget%20Low%20Level.html
package widgets
