package address

import "github.com/nyaruka/phonenumbers"

// LineType is what a numbering plan says about a number. It is stored by this text.
type LineType string

// The line types. In some plans, such as North America's, mobiles and fixed lines share their ranges.
const (
	Mobile        LineType = "mobile"
	FixedLine     LineType = "fixed_line"
	FixedOrMobile LineType = "fixed_or_mobile"
	VoIP          LineType = "voip"
	TollFree      LineType = "toll_free"
	Premium       LineType = "premium"
	SharedCost    LineType = "shared_cost"
	Pager         LineType = "pager"
	Personal      LineType = "personal"
	UAN           LineType = "uan"     // a company's universal access number
	UnknownLine   LineType = "unknown" // what a store says that kept none; a parser refuses numbers without a type
)

var lineTypes = map[phonenumbers.PhoneNumberType]LineType{
	phonenumbers.MOBILE:               Mobile,
	phonenumbers.FIXED_LINE:           FixedLine,
	phonenumbers.FIXED_LINE_OR_MOBILE: FixedOrMobile,
	phonenumbers.VOIP:                 VoIP,
	phonenumbers.TOLL_FREE:            TollFree,
	phonenumbers.PREMIUM_RATE:         Premium,
	phonenumbers.SHARED_COST:          SharedCost,
	phonenumbers.PAGER:                Pager,
	phonenumbers.PERSONAL_NUMBER:      Personal,
	phonenumbers.UAN:                  UAN,
}

// CanSMS reports whether an SMS to such a line may arrive. It is false only where the plan rules it out.
func (t LineType) CanSMS() bool {
	switch t {
	case FixedLine, TollFree, Premium, SharedCost, Pager, UAN:
		return false
	}
	return true
}
