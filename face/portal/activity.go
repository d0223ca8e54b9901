package portal

import (
	"net/http"
	"strings"

	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/face/web/ui"
)

// The page of activity shows so many things at once, and reads so often at most for them.
const (
	pageOfHistory = 25
	maxReads      = 5
)

// activity shows what happened to the account, newest first.
func (p *Portal) activity(w http.ResponseWriter, v *visit) error {
	before := cursor(v.r.URL.Query().Get("before"))
	var page []happening
	var next string
	err := p.o.DB.Read(v.ctx(), func(tx *store.Tx) (err error) {
		page, next, err = v.history(v.ctx(), tx, before, pageOfHistory, maxReads)
		return err
	})
	if err != nil {
		return err
	}
	return v.render(w, http.StatusOK, activityPage(v, page, before, next))
}

// cursor is an event's id as an address gave it; what can be none is no place to go on from.
func cursor(s string) string {
	if len(s) != 26 || strings.Trim(s, "0123456789abcdefghjkmnpqrstvwxyz") != "" {
		return ""
	}
	return s
}

// entries are what the timeline shows.
func entries(all []happening) []ui.Entry {
	list := make([]ui.Entry, len(all))
	for i, h := range all {
		list[i] = ui.Entry{At: h.At, State: h.State, Icon: h.Icon, Title: h.Text, By: h.Who}
	}
	return list
}

// glyph is the picture of a slot.
func glyph(s contact.Slot) ui.Glyph {
	if s.Kind() == contact.Phone {
		return "phone"
	}
	return "mail"
}
