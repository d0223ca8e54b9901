package contact

// For the tests of plans.
const (
	OneQuery      = oneQuery
	AllQuery      = allQuery
	DueQuery      = dueQuery
	RemindQuery   = remindQuery
	SharedQuery   = sharedQuery
	WindowsQuery  = windowsQuery
	ByStateQuery  = byStateQuery
	ByChangeQuery = byChangeQuery
	ProveQuery    = proveQuery
)

// ExpireQuery is the statement for n contacts.
func ExpireQuery(n int) string { return expireQuery + pairs(2, n) }
