package main

import (
	"os"

	"countersign.dev/base/config"
	"countersign.dev/base/fault"
	"countersign.dev/face/web/ui"
)

// loadBrand makes what pages and mails show of the operator.
func loadBrand(s config.Operator) (*ui.Brand, error) {
	o := ui.BrandOptions{Name: s.Name, Site: s.Site, Help: s.Help, Accent: s.Accent}
	if s.Logo != "" {
		logo, err := os.ReadFile(s.Logo)
		if err != nil {
			return nil, fault.New(fault.Invalid, "logo-unreadable").Because(err)
		}
		o.Logo = logo
	}
	return ui.NewBrand(o)
}
