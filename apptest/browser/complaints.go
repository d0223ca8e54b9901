package browser

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// complaints are what the browser found wrong with the pages of a window.
type complaints struct {
	mu     sync.Mutex
	all    []string
	status int // of the last page
}

func (c *complaints) add(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, fmt.Sprintf(format, args...))
}

func (c *complaints) lastStatus() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

// take returns what was found so far and forgets it.
func (c *complaints) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.all
	c.all = nil
	return all
}

func (c *complaints) report(t testing.TB) {
	for _, one := range c.take() {
		t.Errorf("the browser complained: %s", one)
	}
}

// hear is called for every event of a window.
func (c *complaints) hear(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		c.add("an exception: %s %s", e.ExceptionDetails.Text, describe(e.ExceptionDetails.Exception))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			c.add("console.%s: %s", e.Type, describe(e.Args...))
		}
	case *log.EventEntryAdded:
		// What the network says of a page with an error is no complaint, and of all else it comes below.
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			c.add("%s: %s", e.Entry.Source, e.Entry.Text)
		}
	case *network.EventResponseReceived:
		c.answered(e)
	case *network.EventRequestWillBeSent:
		c.asked(e)
	}
}

func describe(objects ...*runtime.RemoteObject) (text string) {
	for _, o := range objects {
		if o != nil {
			text += o.Description + string(o.Value) + " "
		}
	}
	return text
}

func (c *complaints) answered(e *network.EventResponseReceived) {
	if e.Type == network.ResourceTypeDocument {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.status = int(e.Response.Status)
		return
	}
	if e.Response.Status >= http.StatusBadRequest {
		c.add("%s was answered with %d", e.Response.URL, e.Response.Status)
	}
}

// asked complains about what a page fetches from elsewhere.
func (c *complaints) asked(e *network.EventRequestWillBeSent) {
	page, err := url.Parse(e.DocumentURL)
	to, err2 := url.Parse(e.Request.URL)
	if err != nil || err2 != nil || e.Type == network.ResourceTypeDocument || to.Scheme == "data" || to.Scheme == "blob" {
		return
	}
	if to.Host != page.Host {
		c.add("%s fetches %s", page, to)
	}
}
