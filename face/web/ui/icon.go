package ui

// Glyph names an icon.
type Glyph string

// glyphs are drawn with a line of width 2 on a ground of 24 by 24, round at its ends.
var glyphs = map[Glyph]string{
	"mail":     "M4 5h16a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM3.5 6.5 12 13l8.5-6.5",
	"phone":    "M8 2.500h8a1.5 1.5 0 0 1 1.5 1.500v16a1.5 1.5 0 0 1-1.5 1.500H8A1.5 1.5 0 0 1 6.5 20V4A1.5 1.5 0 0 1 8 2.500zM11 18.500h2",
	"check":    "M5 12.5 10 17.5 19.5 7",
	"clock":    "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3.5 2",
	"alert":    "M12 3.5 22 20.500H2zM12 10v4.500M12 17.500v.1",
	"stop":     "M8.3 3h7.400L21 8.300v7.400L15.7 21H8.300L3 15.700V8.300zM12 7.500v5M12 16v.1",
	"info":     "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v5.500M12 7.500v.1",
	"back":     "M15 5 8 12l7 7",
	"next":     "M9 5l7 7-7 7",
	"down":     "M5 9l7 7 7-7",
	"globe":    "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3 12h18M12 3c2.5 2.5 3.8 5.6 3.8 9s-1.3 6.5-3.8 9c-2.5-2.5-3.8-5.6-3.8-9S9.5 5.5 12 3z",
	"copy":     "M9 9h11v11H9zM5 15H4V4h11v1",
	"link":     "M10 14a4 4 0 0 0 6 .4l3-3a4.2 4.2 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6-.4l-3 3a4.2 4.2 0 0 0 6 6l1-1",
	"shield":   "M12 2.5 20 5.500v6c0 5-3.5 8.5-8 10-4.5-1.5-8-5-8-10v-6zM8.5 12l2.5 2.5 4.5-5",
	"edit":     "M4 20l1-4.500L16.5 4 20 7.5 8.5 19z",
	"trash":    "M4 6.500h16M9 6.500V4h6v2.500M6 6.5 7 20.500h10l1-14",
	"send":     "M3.5 11 20.5 4l-6 16.5-3.5-7z",
	"person":   "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.5 20.500c.5-4 3.5-6 7.5-6s7 2 7.5 6",
	"settings": "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4",
	"history":  "M4 4.500v5h5M4.5 9A8.5 8.5 0 1 1 3.5 12.500M12 8v4.500l3 2",
	"pause":    "M9 5v14M15 5v14",
}

// stateGlyphs are what tells the states apart without their colours.
var stateGlyphs = map[State]Glyph{
	Verified: "check",
	Waiting:  "clock",
	Action:   "alert",
	Danger:   "stop",
	Quiet:    "info",
}
