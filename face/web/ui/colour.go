package ui

import (
	"fmt"
	"math"
	"strconv"
)

// rgb is a colour of sRGB, 8 bits a channel.
type rgb struct{ r, g, b uint8 }

// The grounds that text of the accent stands on. They are tokens of ui.css too; a test compares them.
var (
	white      = rgb{255, 255, 255}
	black      = rgb{0, 0, 0}
	lightSheet = white
	lightBase  = rgb{0xf5, 0xf6, 0xf8}
	darkSheet  = rgb{0x1b, 0x1f, 0x27}
	darkBase   = rgb{0x12, 0x15, 0x1b}
)

// parseRGB reads #rrggbb.
func parseRGB(s string) (rgb, bool) {
	if len(s) != 7 || s[0] != '#' {
		return rgb{}, false
	}
	n, err := strconv.ParseUint(s[1:], 16, 32)
	if err != nil {
		return rgb{}, false
	}
	return rgb{uint8(n >> 16), uint8(n >> 8 & 0xff), uint8(n & 0xff)}, true
}

func (c rgb) String() string { return fmt.Sprintf("#%02x%02x%02x", c.r, c.g, c.b) }

// luminance is the relative luminance of WCAG 2.2.
func (c rgb) luminance() float64 {
	return 0.2126*linear(c.r) + 0.7152*linear(c.g) + 0.0722*linear(c.b)
}

func linear(v uint8) float64 {
	s := float64(v) / 255
	if s <= 0.04045 {
		return s / 12.92
	}
	return math.Pow((s+0.055)/1.055, 2.4)
}

// contrast is the contrast ratio of WCAG 2.2, from 1 to 21.
func contrast(a, b rgb) float64 {
	la, lb := a.luminance(), b.luminance()
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// mix is c with a share of another colour in it, from 0 to 1.
func (c rgb) mix(other rgb, share float64) rgb {
	blend := func(a, b uint8) uint8 {
		return uint8(math.Round(float64(a)*(1-share) + float64(b)*share))
	}
	return rgb{blend(c.r, other.r), blend(c.g, other.g), blend(c.b, other.b)}
}

// toward moves c to another colour until it stands out from every ground by the ratio, and no further.
func (c rgb) toward(other rgb, ratio float64, grounds ...rgb) rgb {
	const steps = 64
	for i := range steps {
		moved := c.mix(other, float64(i)/steps)
		if moved.standsOut(ratio, grounds) {
			return moved
		}
	}
	return other
}

func (c rgb) standsOut(ratio float64, grounds []rgb) bool {
	for _, g := range grounds {
		if contrast(c, g) < ratio {
			return false
		}
	}
	return true
}
