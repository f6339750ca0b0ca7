package render

import (
	"regexp"
	"strings"
)

var (
	style     = regexp.MustCompile(`(?s)<style.*?</style>`)
	tag       = regexp.MustCompile(`<[a-z][^<>]*>`)
	dead      = regexp.MustCompile(` (class="zr[^"]*"|ecmeta_[a-z_]+="[^"]*"|pointer-events="[^"]*"|xmlns:xlink="[^"]*"|baseProfile="[^"]*")`)
	family    = regexp.MustCompile(`font-family:([^;"]*);`)
	decimals  = regexp.MustCompile(`(\.\d\d)\d+`)
	numbersIn = regexp.MustCompile(` (d|points|transform|x|y|width|height|cx|cy|r|x1|x2|y1|y2)="[^"]*"`)
)

// lean takes out of an SVG what does nothing in a picture: how things change under
// the pointer, notes for scripts, digits that no screen shows, and the fonts of
// each text where all have the same. It is a third of the size then.
//
// Only what is inside tags is touched. In texts, < and > are escaped.
func lean(svg string) string {
	svg = style.ReplaceAllString(svg, "")
	font := family.FindStringSubmatch(svg)
	svg = tag.ReplaceAllStringFunc(svg, func(t string) string {
		t = dead.ReplaceAllString(t, "")
		t = numbersIn.ReplaceAllStringFunc(t, func(a string) string { return decimals.ReplaceAllString(a, "$1") })
		if font != nil {
			t = strings.Replace(t, font[0], "", 1)
		}
		// A picture fills its rectangle, as on a canvas.
		return strings.Replace(t, "<image ", `<image preserveAspectRatio="none" `, 1)
	})
	if font != nil {
		svg = strings.Replace(svg, "<svg ", `<svg font-family="`+font[1]+`" `, 1)
	}
	return strings.ReplaceAll(svg, "></path>", "/>")
}
