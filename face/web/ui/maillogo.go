package ui

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math"
	"regexp"
	"strings"

	"github.com/srwiley/oksvg"
	"github.com/srwiley/rasterx"

	"countersign.dev/base/fault"
)

// mailLogoHeight is the height of the picture in mails in pixels: twice the 40 at which they show it, for screens with two in one.
const mailLogoHeight = 80

// drawable are the elements that oksvg draws as a browser does. It passes over all others, which gives another picture.
var drawable = set("svg g defs use path rect circle ellipse line polyline polygon linearGradient radialGradient stop")

// png draws the logo on a transparent ground. The fault is logo-not-drawn.
func (l *logo) png() ([]byte, error) {
	undrawn := fault.New(fault.Invalid, "logo-not-drawn").At("logo")
	var missing string
	l.root.each(func(n *node) {
		if n.name != "" && !drawable[n.name] {
			missing = n.name
		}
	})
	if missing != "" {
		return nil, undrawn.Because(fmt.Errorf("<%s> cannot be drawn", missing))
	}
	img, err := l.draw()
	if err != nil {
		return nil, undrawn.Because(err)
	}
	if blank(img) {
		return nil, undrawn.Because(fmt.Errorf("nothing is drawn"))
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, undrawn.Because(err)
	}
	return b.Bytes(), nil
}

// oneScale is a scale with one number. oksvg takes the second one for 0 and not for the same.
var oneScale = regexp.MustCompile(`scale\(\s*([^\s,()]+)\s*\)`)

func (l *logo) draw() (img *image.RGBA, err error) {
	defer func() {
		if v := recover(); v != nil { // oksvg does, on some paths that are wrong
			err = fmt.Errorf("drawing panicked")
		}
	}()
	svg := oneScale.ReplaceAll(l.svg, []byte("scale($1 $1)"))
	svg = bytes.ReplaceAll(svg, []byte("currentColor"), []byte("#000000"))
	icon, err := oksvg.ReadIconStream(bytes.NewReader(svg), oksvg.StrictErrorMode)
	if err != nil {
		return nil, fmt.Errorf("drawing: %s", strings.TrimSpace(err.Error()))
	}
	scale := mailLogoHeight / l.height
	w := int(math.Ceil(l.width * scale))
	icon.Transform = rasterx.Identity.Scale(scale, scale).Translate(-icon.ViewBox.X, -icon.ViewBox.Y)
	img = image.NewRGBA(image.Rect(0, 0, w, mailLogoHeight))
	icon.Draw(rasterx.NewDasher(w, mailLogoHeight, rasterx.NewScannerGV(w, mailLogoHeight, img, img.Bounds())), 1)
	return img, nil
}

func blank(img *image.RGBA) bool {
	for i := 3; i < len(img.Pix); i += 4 {
		if img.Pix[i] != 0 {
			return false
		}
	}
	return true
}
