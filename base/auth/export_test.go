package auth

// For the tests of plans.
const (
	SessionQuery = sessionQuery
	RedeemQuery  = redeemQuery
	SeenQuery    = seenQuery
	EndQuery     = endQuery
	EndAllQuery  = endAllQuery
	SweepQuery   = sweepQuery
)
