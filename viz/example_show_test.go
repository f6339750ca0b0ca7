package viz_test

import (
	"fmt"
	"image"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"github.com/gradbook/gradbook/viz"
)

// Any chart of go-echarts can be shown. Outside a notebook its words are printed.
func ExampleFromECharts() {
	bar := charts.NewBar()
	bar.SetXAxis([]string{"a", "b"})
	bar.AddSeries("count", []opts.BarData{{Value: 1}, {Value: 3}})
	chart, err := viz.FromECharts(bar, "a: 1, b: 3")
	if err != nil {
		panic(err)
	}
	if err := viz.Show(chart.Height(240)); err != nil {
		panic(err)
	}
	// Output: a: 1, b: 3
}

func ExampleShow() {
	picture := viz.FromImage(image.NewGray(image.Rect(0, 0, 8, 8)), "a black square")
	if err := viz.Show(picture); err != nil {
		panic(err)
	}
	// Output: a black square
}

func ExampleFromImage() {
	picture := viz.FromImage(image.NewGray(image.Rect(0, 0, 8, 8)), "a black square")
	bundle, err := picture.Bundle()
	fmt.Println(len(bundle[viz.MIMEPNG]) > 0, bundle[viz.MIMEPlain], err)
	// Output: true a black square <nil>
}

func ExampleClearOutput() {
	for step := range 3 {
		// In a notebook, each line takes the place of the one before.
		if err := viz.ClearOutput(true); err != nil {
			fmt.Println(err)
		}
		fmt.Println("step", step)
	}
	// Output:
	// step 0
	// step 1
	// step 2
}

func ExampleRich() {
	_, rich := viz.Rich(image.NewGray(image.Rect(0, 0, 8, 8)))
	_, plain := viz.Rich(42)
	fmt.Println(rich, plain)
	// Output: true false
}
