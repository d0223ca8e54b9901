package portal

import "countersign.dev/base/auth"

// table has a row for each page and each thing that can be done on one.
func (p *Portal) table() []Route {
	return []Route{
		p.outside("GET /start/{token}", p.start),
		p.outside("POST /start/{token}", p.redeem),

		p.inside("GET /s/{session}", auth.View, p.home),
		p.inside("GET /s/{session}/activity", auth.View, p.activity),
		p.inside("GET /s/{session}/settings", auth.View, p.settings),
		p.inside("POST /s/{session}/settings", auth.View, p.saveSettings),
		p.inside("POST /s/{session}/language", "", p.switchLanguage),
		p.inside("POST /s/{session}/sign-out", "", p.signOut),

		p.inside("GET /s/{session}/contacts/{slot}/verify", auth.Verify, p.chooseMethod),
		p.inside("POST /s/{session}/contacts/{slot}/verify", auth.Verify, p.startVerification),
		p.inside("GET /s/{session}/verifications/{id}", auth.Verify, p.verification),
		p.inside("POST /s/{session}/verifications/{id}/check", auth.Verify, p.checkCode),
		p.inside("POST /s/{session}/verifications/{id}/resend", auth.Verify, p.resend),
		p.inside("GET /s/{session}/contacts/{slot}/defer", auth.Verify, p.chooseDeferral),
		p.inside("POST /s/{session}/contacts/{slot}/defer", auth.Verify, p.deferContact),
		p.inside("GET /s/{session}/contacts/{slot}/change", auth.Change, p.editContact),
		p.inside("POST /s/{session}/contacts/{slot}/change", auth.Change, p.setContact),
		p.inside("POST /s/{session}/contacts/{slot}/change/withdraw", auth.Change, p.withdrawChange),
		p.inside("GET /s/{session}/contacts/{slot}/remove", auth.Change, p.confirmRemoval),
		p.inside("POST /s/{session}/contacts/{slot}/remove", auth.Change, p.removeContact),

		p.outside("GET /link/{token}", p.openLink),
		p.outside("POST /link/{token}", p.confirmLink),
		p.outside("GET /dispute", p.dispute),
		p.outside("POST /dispute", p.sendDispute),
	}
}
