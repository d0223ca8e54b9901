package ui

import (
	"regexp"
	"strings"
)

func set(names string) map[string]bool {
	all := map[string]bool{}
	for name := range strings.FieldsSeq(names) {
		all[name] = true
	}
	return all
}

var (
	// drawing are the elements of SVG that may stand within the root.
	drawing = set("g defs symbol use path rect circle ellipse line polyline polygon text tspan linearGradient radialGradient stop clipPath mask")

	// dropped are elements that say something about the drawing and draw nothing.
	dropped = set("title desc metadata")

	// geometry are attributes that are no property of CSS.
	geometry = set("id href viewBox d points x y x1 y1 x2 y2 cx cy fx fy fr r rx ry dx dy width height offset pathLength transform " +
		"gradientTransform gradientUnits spreadMethod clipPathUnits maskUnits maskContentUnits textLength lengthAdjust")

	// styling are attributes that are properties of CSS as well.
	styling = set("fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin stroke-miterlimit " +
		"stroke-dasharray stroke-dashoffset opacity color stop-color stop-opacity clip-path clip-rule mask display visibility " +
		"font-family font-size font-weight font-style letter-spacing text-anchor dominant-baseline")

	// functions may stand in a value.
	functions = set("rgb rgba hsl hsla matrix translate scale rotate skewx skewy")
)

var (
	localHref = regexp.MustCompile(`^#[A-Za-z_][A-Za-z0-9_.:-]*$`)
	localURL  = regexp.MustCompile(`(?i)\burl\(\s*(?:#[a-z_][a-z0-9_.:-]*|"#[a-z_][a-z0-9_.:-]*"|'#[a-z_][a-z0-9_.:-]*')\s*\)`)
	called    = regexp.MustCompile(`([A-Za-z0-9_-]+)\(`)
)

// unsafeValue names what must not stand in a value, or is empty. An address may only be one within the drawing. CSS reads a
// backslash as part of a name, so that a word may not look like what it is.
func unsafeValue(v string) string {
	if strings.ContainsAny(v, `\@`) {
		return `\ @`
	}
	for _, m := range called.FindAllStringSubmatch(localURL.ReplaceAllString(v, " "), -1) {
		if name := strings.ToLower(m[1]); !functions[name] {
			return name + "()"
		}
	}
	return ""
}
