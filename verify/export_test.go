package verify

import "context"

// The queries whose plans are tested.
const (
	GetQuery       = getQuery
	ForHolderQuery = forHolderQuery
	PendingQuery   = pendingQuery
	ProgressQuery  = progressQuery
	OverdueQuery   = overdueQuery
)

// Clicked is ConfirmLink up to where it has looked at everything; confirm is the rest.
func (v *Verifier) Clicked(ctx context.Context, token, account, actor string) (confirm func() error, err error) {
	g, err := v.ownLink(ctx, token, account)
	return func() error { return v.consume(ctx, g, actor, Around{}) }, err
}
