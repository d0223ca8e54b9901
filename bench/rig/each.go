package rig

import (
	"errors"
	"sync"
	"sync/atomic"
)

// Each calls do for 0 to n-1, c at a time, until one fails.
func Each(c, n int, do func(i int) error) error {
	var next atomic.Int64
	var workers sync.WaitGroup
	errs := make([]error, c)
	for w := range c {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if errs[w] = do(i); errs[w] != nil {
					next.Store(int64(n))
					return
				}
			}
		})
	}
	workers.Wait()
	return errors.Join(errs...)
}
