package api

import (
	"context"

	"countersign.dev/base/fault"
)

type healthJSON struct {
	Status string `json:"status" enum:"live,ready" example:"ready"`
}

type healthOut struct {
	Body healthJSON
}

func (s *server) live(context.Context, *struct{}) (*healthOut, error) {
	return &healthOut{healthJSON{"live"}}, nil
}

func (s *server) ready(ctx context.Context, _ *struct{}) (*healthOut, error) {
	if err := s.o.Ready(ctx); err != nil {
		s.o.Log.Warn("not ready", "error", err)
		return nil, fault.New(fault.Unavailable, "unavailable").Because(err)
	}
	return &healthOut{healthJSON{"ready"}}, nil
}
