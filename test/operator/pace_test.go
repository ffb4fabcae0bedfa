package operator

import (
	"math"
	"slices"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/browser"
)

// Steady traffic reads as steady, though its messages come once a second and the pictures do not
// come in step with them.
func TestTheRateOfSteadyTrafficIsSteady(t *testing.T) {
	b := open(serve(t, false, actors.Options{}))
	rates := browser.Value[[]float64](b.Tab, `import('./inspector/operator/pace.js').then(({ Pace }) => {
		const pace = new Pace();
		const read = [];
		let sent = 0;
		[38, 78, 0, 35].concat(...Array(9).fill([38, 78, 0, 36])).forEach((came, second) => {
			sent += came;
			pace.add(second * 1000, sent);
			read.push(pace.perSecond);
		});
		return read.slice(10); // once the span is full
	})`)
	least, most := slices.Min(rates), slices.Max(rates)
	if math.Abs(least-38) > 6 || math.Abs(most-38) > 6 {
		t.Errorf("38 messages a second read between %.1f and %.1f", least, most)
	}
}

// A proxy that was started anew counts from 0: that is no negative rate.
func TestTheRateStartsAnewWithTheProxy(t *testing.T) {
	b := open(serve(t, false, actors.Options{}))
	rates := browser.Value[[]float64](b.Tab, `import('./inspector/operator/pace.js').then(({ Pace }) => {
		const pace = new Pace();
		return [[0, 1000], [1000, 1040], [2000, 5], [3000, 45]].map(([at, value]) => {
			pace.add(at, value);
			return pace.perSecond;
		});
	})`)
	if want := []float64{0, 40, 0, 40}; !slices.Equal(rates, want) {
		t.Errorf("read %v, not %v", rates, want)
	}
}
