package account

// For the tests of plans.
const (
	ListQuery          = listQuery
	FormerMailboxQuery = formerMailboxQuery
)
