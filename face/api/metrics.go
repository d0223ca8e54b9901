package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// scrapeLimit bounds what a scrape asks of the database.
const scrapeLimit = 2 * time.Second

// MetricsOptions wire Metrics.
type MetricsOptions struct {
	// Backlog counts the messages that wait to leave, and says since when the oldest has. Nil: not shown.
	Backlog func(ctx context.Context) (queued int, oldest time.Time, err error)
	Now     func() time.Time // nil: time.Now
}

// Metrics count what the process does. No label holds anything of an account.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	started  *prometheus.CounterVec
	checked  *prometheus.CounterVec
}

// NewMetrics returns metrics that stand at zero.
func NewMetrics(o MetricsOptions) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "countersign_http_requests_total", Help: "Requests that were answered, by route and status.",
		}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "countersign_http_request_seconds", Help: "How long answering took, by route.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5},
		}, []string{"route"}),
		started: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "countersign_verifications_started_total", Help: "Verifications started, by method.",
		}, []string{"method"}),
		checked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "countersign_codes_checked_total", Help: "Codes checked, by outcome: verified, or the id of the problem.",
		}, []string{"outcome"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, m.started, m.checked, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if o.Backlog != nil {
		if o.Now == nil {
			o.Now = time.Now
		}
		m.registry.MustRegister(backlog{o})
	}
	return m
}

// Handler shows the metrics to whoever asks; it is for an address of its own.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// Observe counts a request; it is for web.Options.
func (m *Metrics) Observe(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}

// backlog is asked of the database when somebody reads the metrics.
type backlog struct{ o MetricsOptions }

var (
	queuedDesc = prometheus.NewDesc("countersign_deliveries_queued", "Messages that wait to leave, over all nodes.", nil, nil)
	oldestDesc = prometheus.NewDesc("countersign_deliveries_oldest_seconds", "How long the oldest of them has waited.", nil, nil)
)

func (b backlog) Describe(ch chan<- *prometheus.Desc) {
	ch <- queuedDesc
	ch <- oldestDesc
}

func (b backlog) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	queued, oldest, err := b.o.Backlog(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(queuedDesc, err)
		return
	}
	age := time.Duration(0)
	if queued > 0 {
		age = b.o.Now().Sub(oldest)
	}
	ch <- prometheus.MustNewConstMetric(queuedDesc, prometheus.GaugeValue, float64(queued))
	ch <- prometheus.MustNewConstMetric(oldestDesc, prometheus.GaugeValue, max(0, age.Seconds()))
}
