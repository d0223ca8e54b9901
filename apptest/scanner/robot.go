package scanner

import (
	"fmt"
	"slices"

	"countersign.dev/apptest/browser"
)

// levels is how many links deep a robot goes from an address in a mail.
const levels = 2

// most is how many pages a robot opens for one mail. A site on which it would need more is refused rather than scanned in part.
const most = 150

// robot is a browser that somebody's program moves.
type robot struct {
	*browser.Visitor
	linked map[string]bool // addresses that were gone to
	seen   map[string]bool // pages that were explored, by address and text
	report *Report
}

// page is what a robot finds on a page.
type page struct {
	Buttons int      `json:"buttons"` // whatever can be clicked and is no link
	Forms   int      `json:"forms"`   // those without a button
	Links   []string `json:"links"`
}

const survey = `({
	buttons: document.querySelectorAll("button, input[type=submit], input[type=button], input[type=image], summary, [role=button], [onclick]").length,
	forms: [...document.forms].filter((f) => !f.querySelector("button, input[type=submit]")).length,
	links: [...document.links].map((a) => a.href.split("#")[0]),
})`

// A way leads to a page: an address and what is done from there.
type way struct {
	address string
	acts    []string // expressions that say whether another page follows
}

// then is the way that goes on with one more act.
func (w way) then(function string, i int) way {
	return way{w.address, append(slices.Clone(w.acts), fmt.Sprintf("(%s)(%s, %d)", function, fill, i))}
}

// explore does everything that can be done on the page that a way leads to, each from a fresh copy of it, and goes on from there; then it
// goes where the links lead.
func (r *robot) explore(w way, left int) {
	r.Helper()
	r.walk(w)
	here := r.URL().String()
	sight := here + "\n" + r.Text()
	if r.seen[sight] || !onSite(here, r.report.site) {
		return
	}
	r.seen[sight] = true
	found := browser.Evaluate[page](r.Visitor, survey)
	for i := range found.Buttons {
		r.use(w.then(click, i), left)
	}
	for i := range found.Forms {
		r.use(w.then(submit, i), left)
	}
	for _, link := range found.Links {
		if left > 0 && onSite(link, r.report.site) && !r.linked[link] {
			r.linked[link] = true
			r.explore(way{address: link}, left-1)
		}
	}
}

// use goes one act further, and explores what comes of it.
func (r *robot) use(w way, left int) {
	r.Helper()
	r.report.Sent++
	if left > 0 {
		r.explore(w, left-1)
	} else {
		r.walk(w)
	}
}

// walk goes a way anew.
func (r *robot) walk(w way) {
	r.Helper()
	if r.report.Opened++; r.report.Opened > most {
		r.Fatalf("the scanner does not come to an end on %s", r.report.site)
	}
	r.Open(w.address)
	for _, act := range w.acts {
		if browser.Evaluate[bool](r.Visitor, act) {
			r.Arrive()
		}
	}
}

// fill puts something into each field, by its kind.
const fill = `() => {
	const values = {email: "scanner@mail.example", tel: "+447400123456", number: "1", date: "2030-01-01", url: "https://mail.example/", password: "Scanner 1"};
	for (const field of document.querySelectorAll("input, textarea, select")) {
		const digits = field.inputMode === "numeric" || field.autocomplete === "one-time-code";
		if (["hidden", "submit", "button", "image"].includes(field.type)) continue;
		if (["checkbox", "radio"].includes(field.type)) field.checked = true;
		else if (field.tagName === "SELECT") field.selectedIndex = field.options.length - 1;
		else field.value = digits ? "12345678".slice(0, field.maxLength > 0 ? field.maxLength : 6) : values[field.type] || "scanner";
		for (const name of ["input", "change", "blur"]) field.dispatchEvent(new Event(name, {bubbles: true}));
	}
}`

// click clicks the i-th button and says whether a page follows.
const click = `(fill, i) => {
	fill();
	const all = document.querySelectorAll("button, input[type=submit], input[type=button], input[type=image], summary, [role=button], [onclick]");
	const form = all[i].form;
	if (form) form.noValidate = true;
	const leads = Boolean(form && ["submit", "image"].includes(all[i].type) && !all[i].disabled);
	if (leads) globalThis.visited = true;
	all[i].click();
	return leads;
}`

// submit sends the i-th of the forms that have no button.
const submit = `(fill, i) => {
	fill();
	globalThis.visited = true;
	[...document.forms].filter((f) => !f.querySelector("button, input[type=submit]"))[i].submit();
	return true;
}`
