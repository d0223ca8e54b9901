package account

// For the tests of plans.
const (
	ListQuery         = listQuery
	TakeFormerMailbox = takeFormerMailbox
)
