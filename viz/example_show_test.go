package viz_test

import (
	"fmt"
	"image"
	"math"

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

func ExampleSetLanguage() {
	if err := viz.SetLanguage("zh"); err != nil {
		fmt.Println(err)
	}
	defer viz.SetLanguage("en")
	chart, err := viz.Lines(viz.LinesConfig{}, viz.Series{Name: "损失", Y: []float64{2, 1, 0.5}})
	fmt.Println(chart, err)
	fmt.Println(viz.SetLanguage("tlh"))
	// Output:
	// 曲线; 损失：3 个点，从 0.50 到 2 <nil>
	// viz: expected a language among en and zh, got "tlh"
}

func ExampleFrames() {
	var names []string
	var charts []*viz.Chart
	for _, k := range []float64{1, 2, 3} {
		c, err := viz.Lines(viz.LinesConfig{}, viz.Series{Name: "k·x", X: []float64{0, 1}, Y: []float64{0, k}})
		if err != nil {
			fmt.Println(err)
		}
		names, charts = append(names, fmt.Sprint("k = ", k)), append(charts, c)
	}
	chart, err := viz.Frames(names, 1, charts...)
	fmt.Println(chart, err)
	_, err = viz.Frames(names, 0, charts[0])
	fmt.Println(err)
	// Output:
	// lines; k·x: 2 points from 0 to 2 <nil>
	// viz: expected frames, and a name for each, got 1 and 3 names
}

func ExampleAudio() {
	tone := make([]float32, 8000) // a second of 440 Hz
	for i := range tone {
		tone[i] = float32(math.Sin(2 * math.Pi * 440 * float64(i) / 8000))
	}
	s, err := viz.Audio(tone, 8000, "the note A")
	fmt.Println(s, len(s.WAV()), err)
	_, err = viz.Audio(tone, 7, "")
	fmt.Println(err)
	// Output:
	// the note A 16044 <nil>
	// viz: audio: expected samples, at 1,000 to 192,000 a second, got 8000 at 7
}

// temperature shows itself in several forms; a page takes the best that it knows.
type temperature float64

func (t temperature) Bundle() (viz.Bundle, error) {
	return viz.Bundle{
		"text/plain":       fmt.Sprintf("%.1f °C", float64(t)),
		"text/html":        fmt.Sprintf("<b>%.1f</b> °C", float64(t)),
		"application/json": fmt.Sprintf(`{"celsius": %g}`, float64(t)),
	}, nil
}

// A type with a Bundle method shows any MIME type: as a cell's last expression, or by Show.
func ExampleBundle() {
	if err := viz.Show(temperature(21.5)); err != nil {
		panic(err)
	}
	// Output: 21.5 °C
}

func ExamplePrint() {
	viz.Print(struct {
		Name string
		N    int
	}{"a", 3})
	viz.Print(1.5, "two", nil)
	// Output:
	// {Name:a N:3}
	// 1.5 two
}

func ExampleText() {
	fmt.Println(viz.Text([]struct{ X, Y int }{{1, 2}}))
	// Output: [{X:1 Y:2}]
}
