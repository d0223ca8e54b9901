package contact

// For the tests of plans.
const (
	OneQuery          = oneQuery
	AllQuery          = allQuery
	DueQuery          = dueQuery
	RemindQuery       = remindQuery
	SharedQuery       = sharedQuery
	WindowsQuery      = windowsQuery
	ChangeQuery       = changeQuery
	BudgetsQuery      = budgetsQuery
	ByCodeQuery       = byCodeQuery
	NewestChangeQuery = newestChangeQuery
	InsertDispute     = insertDispute
	DisputedQuery     = disputedQuery
	ByStateQuery      = byStateQuery
	ByChangeQuery     = byChangeQuery
	ProveQuery        = proveQuery
)

// ReadDisputeCode is for its fuzz target.

// ExpireQuery is the statement for n contacts.
func ExpireQuery(n int) string { return expireQuery + pairs(2, n) }
