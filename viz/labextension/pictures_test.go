package labextension_test

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/gradbook/gradbook/viz/browser"
)

var picturesDir = flag.String("pictures", "", "write the README's pictures of the lab to this folder")

// TestPictures takes the README's pictures: of the book's notebook on convolution, and of
// its training while it runs.
func TestPictures(t *testing.T) {
	if *picturesDir == "" {
		t.Skip("make pictures")
	}
	l := openLab(t, 1280, 900, `x := 1`)
	raw, err := os.ReadFile("../../notebooks/03-cnn.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(l.dir, "03-cnn.ipynb"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	l.open("lab/tree/03-cnn.ipynb")
	l.Wait(t, "the notebook", `[...jupyterapp.shell.widgets("main")].some(w => w.context?.path === "03-cnn.ipynb" && w.sessionContext?.session?.kernel?.status === "idle")`)
	l.command("application:toggle-left-area", `{}`)
	fit := browser.Eval[int](t, l.Page, `(() => {
		const panel = [...jupyterapp.shell.widgets("main")].find(w => w.context?.path === "03-cnn.ipynb");
		[...jupyterapp.shell.widgets("main")].filter(w => w !== panel).forEach(w => w.close());
		jupyterapp.shell.activateById(panel.id);
		const at = panel.content.widgets.findIndex(w => w.model.sharedModel.getSource().includes("viz.TrainingPlot{}"));
		panel.content.activeCellIndex = at;
		return at;
	})()`)
	if fit < 0 {
		t.Fatal("no cell trains")
	}
	l.start("notebook:run-all-above")
	const panel = `[...jupyterapp.shell.widgets("main")].find(w => w.context?.path === "03-cnn.ipynb")`
	l.Wait(t, "the cells above", panel+`.content.widgets.slice(0, `+itoa(fit)+`).every(w => w.model.type !== "code" || w.model.executionCount !== null)`)
	l.Do(t, chromedp.Evaluate(panel+`.content.activeCellIndex = `+itoa(fit), nil), chromedp.Sleep(500*time.Millisecond))
	l.start("notebook:run-cell")
	scroll := chromedp.Evaluate(panel+`.content.widgets[`+itoa(fit-2)+`].node.scrollIntoView()`, nil)
	l.Do(t, scroll)
	var frames []image.Image
	title := `(() => { const b = [...document.querySelectorAll(".gradbook-chart-box")].find(b => b.offsetParent && window.echarts?.getInstanceByDom(b)?.getOption().title?.at(-1)?.text?.includes("epoch")); return b ? window.echarts.getInstanceByDom(b).getOption().title.at(-1).text : ""; })()`
	for begin := time.Now(); time.Since(begin) < 2*time.Minute; time.Sleep(400 * time.Millisecond) {
		img, err := png.Decode(bytes.NewReader(l.Screenshot(t, "frame")))
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, img)
		if browser.Eval[bool](t, l.Page, title+`.startsWith("5 of 5 epochs")`) {
			break
		}
	}
	l.Do(t, chromedp.Sleep(time.Second))
	last := l.Screenshot(t, "trained")
	if err := os.WriteFile(filepath.Join(*picturesDir, "lab.png"), last, 0o644); err != nil {
		t.Fatal(err)
	}
	if img, err := png.Decode(bytes.NewReader(last)); err == nil {
		frames = append(frames, img)
	}
	if err := animated(filepath.Join(*picturesDir, "lab.gif"), frames, 30*time.Second); err != nil {
		t.Fatal(err)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

// animated writes frames as a GIF that lasts at most so long, and holds its last.
func animated(file string, frames []image.Image, lasts time.Duration) error {
	palette := commonColors(frames)
	g := &gif.GIF{}
	delay := min(40, int(lasts/(10*time.Millisecond))/max(len(frames), 1))
	var before *image.Paletted
	for i, f := range frames {
		now := image.NewPaletted(f.Bounds(), palette)
		draw.Draw(now, now.Bounds(), f, f.Bounds().Min, draw.Src)
		part := now.Bounds()
		if before != nil {
			part = changed(before, now)
		}
		if i == len(frames)-1 {
			delay = 400
		}
		g.Image = append(g.Image, now.SubImage(part).(*image.Paletted))
		g.Delay = append(g.Delay, delay)
		g.Disposal = append(g.Disposal, gif.DisposalNone)
		before = now
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// commonColors are the most frequent of some frames.
func commonColors(frames []image.Image) color.Palette {
	count := map[color.RGBA]int{}
	for i := 0; i < len(frames); i += max(1, len(frames)/8) {
		b := frames[i].Bounds()
		for y := b.Min.Y; y < b.Max.Y; y += 2 {
			for x := b.Min.X; x < b.Max.X; x++ {
				r, g, bl, _ := frames[i].At(x, y).RGBA()
				count[color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(bl >> 8), 255}]++
			}
		}
	}
	all := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int { return count[b] - count[a] })
	var palette color.Palette
	for _, c := range all[:min(256, len(all))] {
		palette = append(palette, c)
	}
	return palette
}

// changed is the smallest part that holds all that two frames differ in.
func changed(a, b *image.Paletted) image.Rectangle {
	var part image.Rectangle
	for y := b.Rect.Min.Y; y < b.Rect.Max.Y; y++ {
		for x := b.Rect.Min.X; x < b.Rect.Max.X; x++ {
			if a.ColorIndexAt(x, y) != b.ColorIndexAt(x, y) {
				part = part.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	if part.Empty() {
		return image.Rect(0, 0, 1, 1)
	}
	return part
}
