package deliver

// The queries whose plans are tested.
const (
	DueQuery      = dueQuery
	FinishedQuery = finishedQuery
)
