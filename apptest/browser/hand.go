package browser

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// What a name can be given to, by the roles that Chromium tells a screen reader.
var (
	clickable = []string{"link", "button", "checkbox", "radio", "DisclosureTriangle", "tab", "switch"}
	typable   = []string{"textbox", "searchbox", "spinbutton", "Date"}
	choosable = []string{"combobox", "listbox"}
)

// element is a part of the page that a person can use.
type element struct {
	node   cdp.BackendNodeID
	object runtime.RemoteObjectID
	role   string
}

// Click uses the one link, button, box, choice or summary that has this name. If that leads to another page, Click returns when it is there.
func (v *Visitor) Click(name string) {
	v.Helper()
	e := v.find(name, clickable)
	act := func() { v.mouse(e) }
	if v.o.Keyboard {
		v.reach(e, name)
		act = func() { v.activate(e) }
	}
	if !ask[bool](v, e, leads) {
		act()
		return
	}
	v.leave(act)
}

// DoubleClick clicks twice, as many do with everything, and returns when another page is there. It takes a mouse.
func (v *Visitor) DoubleClick(name string) {
	v.Helper()
	e := v.find(name, clickable)
	v.leave(func() {
		x, y := v.point(e)
		v.do(chromedp.MouseClickXY(x, y), chromedp.MouseClickXY(x, y, chromedp.ClickCount(2)))
	})
}

// leads says whether using an element brings another page.
const leads = `function () {
	const link = this.closest("a[href]");
	if (link) return !link.getAttribute("href").startsWith("#");
	const button = this.closest("button, input");
	return Boolean(button && button.form && button.type === "submit");
}`

// leave does what leads to another page and returns when it is there.
func (v *Visitor) leave(act func()) {
	v.Helper()
	Evaluate[chromedp.Void](v, "globalThis.visited = true")
	act()
	v.Arrive()
}

// Arrive waits for the page that takes the place of one on which globalThis.visited is true.
func (v *Visitor) Arrive() {
	v.Helper()
	v.settled("!globalThis.visited")
}

// Type puts a text into the one field that has this label, in place of what is there.
func (v *Visitor) Type(label, text string) {
	v.Helper()
	e := v.find(label, typable)
	if v.o.Keyboard {
		v.reach(e, label)
	} else {
		v.mouse(e)
	}
	v.keys("a", kb.ModifierCtrl, "selectAll")
	if strings.IndexFunc(text, func(r rune) bool { return r > '~' }) >= 0 { // an input method gives whole words
		send(v, input.InsertText, input.InsertTextParams{Text: text})
	} else if text == "" {
		v.keys(kb.Delete, 0)
	} else {
		v.keys(text, 0)
	}
}

// Choose picks the option of the list that has this label, by typing it.
func (v *Visitor) Choose(label, option string) {
	v.Helper()
	e := v.find(label, choosable)
	if v.o.Keyboard {
		v.reach(e, label)
	} else {
		send(v, dom.Focus, dom.FocusParams{BackendNodeID: e.node})
	}
	v.keys(option, 0)
	if got := ask[string](v, e, `function () { return this.selectedOptions[0].label.trim() }`); got != option {
		v.Fatalf("typing %q into %q chooses %q", option, label, got)
	}
}

// Has says whether there is something to click that has this name.
func (v *Visitor) Has(name string) bool {
	v.Helper()
	found, err := v.named(name, clickable)
	v.must(err)
	return len(found) > 0
}

// find waits for the one element with a name and one of the roles.
func (v *Visitor) find(name string, roles []string) element {
	v.Helper()
	deadline := time.Now().Add(patience)
	for {
		found, err := v.named(name, roles)
		switch {
		case len(found) == 1:
			resolved, err := call(v, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: found[0].node})
			if err == nil {
				found[0].object = resolved.Object.ObjectID
				return found[0]
			}
		case len(found) > 1:
			v.Fatalf("%s has %d things with the name %q", v.URL().Path, len(found), name)
		}
		if time.Now().After(deadline) {
			v.Fatalf("%s has nothing with the name %q, one of %v (%v), but:\n%s\n%s", v.URL(), name, roles, err, v.names(roles), v.Text())
		}
		v.pause()
	}
}

// named asks the accessibility tree.
func (v *Visitor) named(name string, roles []string) (found []element, err error) {
	document, err := run(v, chromedp.Evaluate[*runtime.RemoteObject]("document"))
	if err != nil {
		return nil, err
	}
	result, err := call(v, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: document.ObjectID, AccessibleName: name})
	if err != nil {
		return nil, err
	}
	for _, n := range result.Nodes {
		var role string
		if n.Ignored || n.Role == nil || json.Unmarshal(n.Role.Value, &role) != nil || !slices.Contains(roles, role) {
			continue
		}
		found = append(found, element{node: n.BackendDOMNodeID, role: role})
	}
	return found, nil
}

// names is what has one of the roles, for a person who looks why a test failed.
func (v *Visitor) names(roles []string) (all []string) {
	document, err := run(v, chromedp.Evaluate[*runtime.RemoteObject]("document"))
	if err != nil {
		return nil
	}
	for _, role := range roles {
		result, err := call(v, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: document.ObjectID, Role: role})
		if err != nil {
			return all
		}
		for _, n := range result.Nodes {
			if !n.Ignored && n.Name != nil {
				all = append(all, role+" "+string(n.Name.Value))
			}
		}
	}
	return all
}

// ask calls a function of JavaScript on an element.
func ask[T any](v *Visitor, e element, function string, args ...any) T {
	v.Helper()
	got, err := run(v, chromedp.CallFunctionOn[T](function, func(p *runtime.CallFunctionOnParams) { p.ObjectID = e.object }, args...))
	v.must(err)
	return got
}

// covered says what lies over the middle of an element, so that no pointer reaches it; "" is nothing.
const covered = `function (x, y) {
	const top = document.elementFromPoint(x, y);
	const mine = [this, ...(this.labels || [])];
	if (top && mine.some((part) => part.contains(top) || top.contains(part))) return "";
	return top ? top.outerHTML.slice(0, 200) : "nothing";
}`

// mouse clicks into the middle of an element.
func (v *Visitor) mouse(e element) {
	v.Helper()
	x, y := v.point(e)
	v.do(chromedp.MouseClickXY(x, y))
}

// point moves the pointer to the middle of an element, where nothing may cover it.
func (v *Visitor) point(e element) (x, y float64) {
	v.Helper()
	send(v, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: e.node})
	box := send(v, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: e.node})
	if len(box.Quads) == 0 {
		v.Fatal("what is to be clicked has no size")
	}
	quad := box.Quads[0]
	x, y = (quad[0]+quad[4])/2, (quad[1]+quad[5])/2
	if what := ask[string](v, e, covered, x, y); what != "" {
		v.Fatalf("what is to be clicked lies under %s", what)
	}
	v.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x, y))
	return x, y
}

// focused says how the keyboard stands to an element: "here", "group" when another choice of its group has the focus, or "".
const focused = `function () {
	const now = document.activeElement;
	if (now === this) return "here";
	const group = this.type === "radio" && now && now.type === "radio" && now.name === this.name && now.form === this.form;
	return group ? "group" : "";
}`

// seen says whether the focus on an element can be seen.
const seen = `function () {
	const parts = [this, ...(this.labels || [])];
	const ringed = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none";
	return this.matches(":focus-visible") && parts.some((part) => ["", "::before", "::after"].some((pseudo) => ringed(getComputedStyle(part, pseudo))));
}`

// reach walks to an element by Tab, and within a group of choices by the arrow.
func (v *Visitor) reach(e element, name string) {
	v.Helper()
	for range 200 {
		switch ask[string](v, e, focused) {
		case "here":
			if !ask[bool](v, e, seen) {
				v.Errorf("%s: nothing shows that %q has the focus", v.URL().Path, name)
			}
			return
		case "group":
			v.keys(kb.ArrowDown, 0)
		default:
			v.keys(kb.Tab, 0)
		}
	}
	v.Fatalf("%s: %q cannot be reached by Tab", v.URL().Path, name)
}

// activate uses the element that has the focus, as its kind is used.
func (v *Visitor) activate(e element) {
	v.Helper()
	switch {
	case e.role == "link":
		v.keys(kb.Enter, 0)
	case e.role == "radio" && ask[bool](v, e, `function () { return this.checked }`): // the arrow did
	default:
		v.keys(" ", 0)
	}
}

// Press presses keys one after the other: "\t" is Tab, "\r" is Enter. What has the focus gets them.
func (v *Visitor) Press(keys string) {
	v.Helper()
	v.keys(keys, 0)
}

func (v *Visitor) keys(keys string, modifier kb.Modifier, commands ...string) {
	v.Helper()
	with := func(p *input.DispatchKeyEventParams) {
		p.Modifiers |= int64(modifier)
		if p.Type != kb.KeyUp {
			p.Commands = commands
		}
	}
	v.do(chromedp.KeyEvent(keys, with))
}
