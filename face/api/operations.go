package api

import (
	"net/http"

	"countersign.dev/base/auth"
	"countersign.dev/base/fault"
)

// Tags group the operations in the document, in this order.
const (
	tagAccounts      = "Accounts"
	tagContacts      = "Emergency contacts"
	tagVerifications = "Verifications"
	tagPortal        = "Portal"
	tagEvents        = "Events"
	tagService       = "Service"
)

const (
	accountPath = "/v1/accounts/{account}"
	slotPath    = accountPath + "/contacts/{slot}"
)

// operations are all there are, by operationId.
var operations = map[string]operation{
	"put-account": {
		method: http.MethodPut, path: accountPath, tag: tagAccounts, scope: auth.AccountsWrite,
		summary: "Create an account, or replace what is known of it",
		text: "The id is the platform's own. The body is the whole of what the platform knows: what it leaves out is empty afterwards. " +
			"A language or time zone that the account holder chose wins over the one given here. 201 when the account is new.",
		problems: []problems{of(fault.Invalid, "account-id-invalid", "name-characters", "name-too-long", "locale-invalid",
			"time-zone-unknown", "country-unknown"), emailProblems},
	},
	"get-account": {
		method: http.MethodGet, path: accountPath, tag: tagAccounts, scope: auth.AccountsRead,
		summary:  "Get an account",
		problems: []problems{of(fault.NotFound, "unknown-account")},
	},
	"erase-account": {
		method: http.MethodDelete, path: accountPath, tag: tagAccounts, scope: auth.AccountsWrite,
		summary: "Erase an account",
		text: "Removes the account, its contacts, verifications and notices, and destroys the key that its data was sealed under. " +
			"What happened stays in the feed of events, which holds nothing personal.",
		problems: []problems{of(fault.NotFound, "unknown-account")},
	},
	"list-accounts": {
		method: http.MethodGet, path: "/v1/accounts", tag: tagAccounts, scope: auth.AccountsRead,
		summary: "List accounts",
		text: "By the time of their last change, the oldest first, or by id when slot_state is given without changed_since. An account " +
			"that changes while pages are read may come twice. To follow every change, read the feed of events.",
		problems: []problems{of(fault.Invalid, "slot-state-invalid", "page-size"), of(fault.Malformed, "page-token")},
	},
	"set-contact": {
		method: http.MethodPut, path: slotPath, tag: tagContacts, scope: auth.ContactsWrite,
		summary: "Set an emergency contact",
		text: "Slots are email, email-2 to email-5, phone, phone-2 to phone-5; the number is the rank. A contact that is in force stays so " +
			"until the new value is verified, and the answer shows the change that waits. Hints say what the account should know: " +
			"same-as-mailbox, no-sms.",
		problems: []problems{
			of(fault.NotFound, "unknown-account"), of(fault.Invalid, "unknown-slot", "extension-of-an-email"),
			emailProblems, phoneProblems,
		},
	},
	"remove-contact": {
		method: http.MethodDelete, path: slotPath, tag: tagContacts, scope: auth.ContactsWrite,
		summary:  "Remove an emergency contact",
		text:     "When it had been verified, it is told for 72 hours that something critical was sent.",
		problems: []problems{of(fault.NotFound, "unknown-account", "unknown-contact"), of(fault.Invalid, "unknown-slot")},
	},
	"list-contacts": {
		method: http.MethodGet, path: accountPath + "/contacts", tag: tagContacts, scope: auth.ContactsRead,
		summary: "List an account's emergency contacts",
		text: "Values are masked. With reveal=true and a key that also has the scope contacts:reveal they are shown in clear, and an event " +
			"records it for each.",
		problems: []problems{of(fault.NotFound, "unknown-account")},
	},
	"start-verification": {
		method: http.MethodPost, path: slotPath + "/verifications", tag: tagVerifications, scope: auth.VerificationsWrite,
		status:  http.StatusCreated,
		summary: "Start a verification",
		text: "Sends a code to the contact: method code by mail to an e-mail address, method sms by text message to a phone. Method link " +
			"sends a link by mail: in a session of the account it verifies with a click, and anywhere else it shows a code to check, as " +
			"one that was sent. While a change waits, it is the new value that is verified. One verification a slot is pending; a new one " +
			"supersedes it.",
		problems: []problems{
			of(fault.NotFound, "unknown-account", "unknown-contact"),
			of(fault.Invalid, "unknown-slot", "method-unknown", "method-not-for-slot", "no-sms-on-this-line", "channel-unavailable"),
			of(fault.Conflict, "slot-locked"), of(fault.TooMany, "resend-too-soon", "too-many-messages"),
		},
	},
	"get-verification": {
		method: http.MethodGet, path: "/v1/verifications/{id}", tag: tagVerifications, scope: auth.VerificationsRead,
		summary:  "Get a verification",
		problems: []problems{of(fault.NotFound, "unknown-verification")},
	},
	"resend-code": {
		method: http.MethodPost, path: "/v1/verifications/{id}/resend", tag: tagVerifications, scope: auth.VerificationsWrite,
		summary: "Send another code or link",
		text:    "The newest three work. All of them share one count of wrong guesses.",
		problems: []problems{
			of(fault.NotFound, "unknown-verification", "unknown-account", "unknown-contact"),
			of(fault.Conflict, "slot-locked", "already-used", "superseded", "contact-changed"), of(fault.Gone, "expired"),
			of(fault.TooMany, "resend-too-soon", "too-many-messages", "too-many-guesses"),
		},
	},
	"check-code": {
		method: http.MethodPost, path: "/v1/verifications/{id}/check", tag: tagVerifications, scope: auth.VerificationsWrite,
		summary: "Check a code",
		text: "The contact is verified when the code is right. Each guess is counted before it is compared; after five wrong ones the " +
			"verification has ended. incorrect-code has the member guesses_left.",
		problems: []problems{
			of(fault.NotFound, "unknown-verification"), of(fault.Invalid, "code-malformed", "incorrect-code"),
			of(fault.Conflict, "slot-locked", "already-used", "superseded", "contact-changed"), of(fault.Gone, "expired"),
			of(fault.TooMany, "too-many-guesses"),
		},
	},
	"defer-contact": {
		method: http.MethodPost, path: slotPath + "/deferrals", tag: tagContacts, scope: auth.ContactsWrite,
		status:  http.StatusCreated,
		summary: "Put off verifying a contact",
		text: "The account's own “not now”. Reminders pause until the date; no eligibility changes. There is a budget of days and of times, " +
			"and deferral-budget says what is left of it in the members days_left and times_left.",
		problems: []problems{
			of(fault.NotFound, "unknown-account"), of(fault.Conflict, "nothing-to-defer"),
			of(fault.Invalid, "unknown-slot", "deferral-until-past", "deferral-budget", "deferral-reason-missing",
				"deferral-reason-too-long", "deferral-reason-characters"),
		},
	},
	"dispute-change": {
		method: http.MethodPost, path: slotPath + "/disputes", tag: tagContacts, scope: auth.ContactsWrite,
		status:  http.StatusCreated,
		summary: "Dispute a change of a contact",
		text: "Says that the account did not make a change that took effect. It is flagged to staff and changes nothing by itself; a change " +
			"is disputed once, and asking again answers with the first time. With reference and code, both from the message to the contact " +
			"that stood there before, it is the change that the message was about, and 20 tries are taken of a reference. With neither, " +
			"the platform vouches for who says so, and it is the newest change of the slot whose window (72 hours or more) is open.",
		problems: []problems{
			of(fault.NotFound, "unknown-account"), of(fault.Conflict, "nothing-to-dispute"), of(fault.TooMany, "too-many-dispute-tries"),
			of(fault.Invalid, "unknown-slot", "dispute-half-given", "reference-malformed", "dispute-code-malformed", "dispute-not-matched"),
		},
	},
	"open-portal-session": {
		method: http.MethodPost, path: "/v1/portal-sessions", tag: tagPortal, scope: auth.PortalWrite,
		status:  http.StatusCreated,
		summary: "Open a session of the portal",
		text: "For somebody who is signed in on the platform and acts for the account: send their browser to the url. It works once, in one " +
			"browser, until expires_at; the session then lasts for at most 8 hours, and at most 30 minutes without a request. With the " +
			"same Idempotency-Key the same url is answered while it works.",
		problems: []problems{
			of(fault.NotFound, "unknown-account"), of(fault.Gone, "portal-url-expired", "portal-url-used"),
			of(fault.Invalid, "return-url-not-listed", "locale-invalid", "flow-unknown", "actor-invalid", "authenticated-in-future", "authenticated-not-set", "right-unknown"),
		},
	},
	"end-portal-sessions": {
		method: http.MethodDelete, path: accountPath + "/portal-sessions", tag: tagPortal, scope: auth.PortalWrite,
		summary:  "End an account's sessions of the portal",
		text:     "All of them, at once, those among them whose url has not been opened yet. For when the person signs out of the platform.",
		problems: []problems{of(fault.NotFound, "unknown-account")},
	},
	"list-events": {
		method: http.MethodGet, path: "/v1/events", tag: tagEvents, scope: auth.EventsRead,
		summary: "Read the feed of events",
		text: "Oldest first, in an order that never skips: keep next_after and give it as after the next time. An empty list says that " +
			"nothing has happened since; ask again later.",
		problems: []problems{of(fault.Malformed, "after-invalid"), of(fault.Invalid, "page-size")},
	},
	"live": {
		method: http.MethodGet, path: "/livez", tag: tagService,
		summary: "Tell whether the process runs",
	},
	"ready": {
		method: http.MethodGet, path: "/readyz", tag: tagService,
		summary:  "Tell whether the service can do its work",
		problems: []problems{of(fault.Unavailable, "unavailable")},
	},
	"metrics": {
		method: http.MethodGet, path: "/metrics", tag: tagService, scope: auth.MetricsRead,
		summary: "Read the metrics, in the text format of Prometheus",
	},
	"openapi": {
		method: http.MethodGet, path: "/v1/openapi.json", tag: tagService,
		summary: "Get this document",
	},
	"docs": {
		method: http.MethodGet, path: "/v1/docs", tag: tagService,
		summary: "Read this document as a page",
	},
	"docs-file": {
		method: http.MethodGet, path: "/v1/docs/{file}", tag: tagService,
		summary:  "Get a part of that page",
		problems: []problems{of(fault.NotFound, "not-found")},
	},
}

var (
	emailProblems = problems{fault.Invalid, faultsWith("email-")}
	phoneProblems = problems{fault.Invalid, faultsWith("phone-")}
)
