package report

import (
	"cmp"
	"math"
	"slices"
)

// buckets is how many steps a plot has.
const buckets = 240

// series is one line of a plot: a value for each bucket, NaN for none.
type series struct {
	name   string
	class  string // of its colour
	values []float64
}

// width is the time of one bucket, in seconds.
func (r *reading) width() float64 { return max(r.last, 0.001) / buckets }

func (r *reading) bucket(t float64) int { return min(buckets-1, max(0, int(t/r.width()))) }

func blank() []float64 {
	list := make([]float64, buckets)
	for i := range list {
		list[i] = math.NaN()
	}
	return list
}

// deliveries are the messages a second that all clients received.
func (r *reading) deliveries() []float64 {
	list := make([]float64, buckets)
	for _, a := range r.arrivals {
		list[r.bucket(a.t)] += 1 / r.width()
	}
	return list
}

// delays are two quantiles, in milliseconds, of the time from the publishing of a
// message to its arrival at a client.
func (r *reading) delays() (half, most []float64) {
	of := make([][]float64, buckets)
	for _, a := range r.arrivals {
		if a.delay >= 0 {
			i := r.bucket(a.t)
			of[i] = append(of[i], a.delay*1000)
		}
	}
	half, most = blank(), blank()
	for i, list := range of {
		if len(list) > 0 {
			slices.Sort(list)
			half[i], most[i] = quantile(list, 0.50), quantile(list, 0.99)
		}
	}
	return half, most
}

// quantile returns the value that a part of a sorted list does not exceed.
func quantile(sorted []float64, part float64) float64 {
	return sorted[max(0, int(math.Ceil(part*float64(len(sorted))))-1)]
}

// open is the number of streams that are ready.
func (r *reading) open() []float64 {
	changes := slices.SortedStableFunc(slices.Values(r.ready), func(a, b change) int { return cmp.Compare(a.t, b.t) })
	list, now, next := make([]float64, buckets), 0, 0
	for i := range list {
		for next < len(changes) && r.bucket(changes[next].t) <= i {
			now += changes[next].by
			next++
		}
		list[i] = float64(now)
	}
	return list
}

// most are the largest values of points; between them the one before stands.
func (r *reading) most(points []point) []float64 {
	list, next := blank(), 0
	for i := range list {
		for next < len(points) && r.bucket(points[next].t) <= i {
			if math.IsNaN(list[i]) || points[next].v > list[i] {
				list[i] = points[next].v
			}
			next++
		}
		if math.IsNaN(list[i]) && i > 0 {
			list[i] = list[i-1]
		}
	}
	return list
}
