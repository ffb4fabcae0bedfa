package report

import (
	"cmp"
	"fmt"
	"html"
	"html/template"
	"math"
	"slices"
	"strings"
)

// The geometry of plots, in units of their view boxes: a box is as wide as the page leaves it room,
// and the words around it are the page's own text, legible on a phone.
const (
	plotWidth  = 1000.0
	plotHeight = 100.0
	laneHeight = 12.0
	leastBand  = 2.0 // what is shorter is drawn so wide
)

// x is where a time stands.
func (r *reading) x(t float64) float64 { return t / max(r.last, 0.001) * plotWidth }

// plot draws lines over the bands of the harms.
func (r *reading) plot(title, unit string, lines ...series) template.HTML {
	top := ceiling(lines)
	var out strings.Builder
	fmt.Fprintf(&out, `<div class="chart"><div class="scale"><span>%s</span><span>%s</span><span>0</span></div>`, figure(top), figure(top/2))
	openDrawing(&out, plotHeight, title+", "+unit)
	r.bands(&out)
	for _, part := range []float64{0, 0.5, 1} {
		fmt.Fprintf(&out, `<path class="grid" d="M0 %gH%g"/>`, plotHeight*part, plotWidth)
	}
	for _, l := range lines {
		fmt.Fprintf(&out, `<path class="line %s" d="%s"><title>%s, %s</title></path>`, l.class, r.path(l.values, top), html.EscapeString(l.name), unit)
	}
	out.WriteString("</svg>")
	r.axis(&out)
	out.WriteString("</div>")
	return template.HTML(out.String())
}

// openDrawing begins a drawing that is stretched to the room it has.
func openDrawing(out *strings.Builder, height float64, title string) {
	fmt.Fprintf(out, `<svg viewBox="0 0 %g %g" preserveAspectRatio="none" role="img" aria-label="%s">`, plotWidth, height, html.EscapeString(title))
}

// path is a line through the values; where there is none it is interrupted.
func (r *reading) path(values []float64, top float64) string {
	var d strings.Builder
	pen := "M"
	for i, v := range values {
		if math.IsNaN(v) {
			pen = "M"
			continue
		}
		t := (float64(i) + 0.5) * r.width()
		fmt.Fprintf(&d, "%s%.1f %.1f", pen, r.x(t), plotHeight*(1-v/top))
		if pen == "M" {
			fmt.Fprintf(&d, "l0.1 0") // a lone value is a dot
		}
		pen = "L"
	}
	return d.String()
}

// bands marks the times in which harms befell everyone: where several did, once.
func (r *reading) bands(out *strings.Builder) {
	var spans [][2]float64
	for _, h := range r.harms {
		if h.client < 0 && h.seen >= 0 {
			spans = append(spans, [2]float64{h.asked, h.over()})
		}
	}
	slices.SortFunc(spans, func(a, b [2]float64) int { return cmp.Compare(a[0], b[0]) })
	for i := 0; i < len(spans); {
		from, to := spans[i][0], spans[i][1]
		for i++; i < len(spans) && spans[i][0] <= to; i++ {
			to = max(to, spans[i][1])
		}
		r.band(out, "band", from, to, plotHeight, clock(from)+" to "+clock(to))
	}
}

func (r *reading) band(out *strings.Builder, class string, from, to, height float64, title string) {
	width := max(leastBand, r.x(to)-r.x(from))
	fmt.Fprintf(out, `<rect class="%s" x="%.1f" y="0" width="%.1f" height="%g"><title>%s</title></rect>`,
		class, min(r.x(from), plotWidth-width), width, height, html.EscapeString(title))
}

// over is when a harm was over, as far as is known.
func (h *harm) over() float64 {
	if h.healed < 0 {
		return h.asked
	}
	return h.healed
}

// describe returns a harm's three facts.
func (h *harm) describe() string {
	text := fmt.Sprintf("%s: asked at %.2f s", h.name, h.asked)
	switch {
	case h.undone != "":
		return text + "; not done: " + h.undone
	case h.seen < 0:
		return text + "; never seen"
	}
	text += fmt.Sprintf("; seen at %.2f s (%s)", h.seen, h.sign)
	if h.healed < 0 {
		return text
	}
	return text + fmt.Sprintf("; healed at %.2f s", h.healed)
}

// axis writes the time below a drawing.
func (r *reading) axis(out *strings.Builder) {
	out.WriteString(`<div class="axis">`)
	step := stepOf(r.last)
	for t := 0.0; t <= r.last; t += step {
		fmt.Fprintf(out, `<span style="left:%.2f%%">%s</span>`, r.x(t)/plotWidth*100, clock(t))
	}
	out.WriteString("</div>")
}

// stepOf returns a round distance of marks, eight at most.
func stepOf(span float64) float64 {
	for _, step := range []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800} {
		if span/step <= 8 {
			return step
		}
	}
	return math.Ceil(span/8/3600) * 3600
}

func clock(t float64) string {
	if t < 60 {
		return fmt.Sprintf("%g s", math.Round(t*10)/10)
	}
	return fmt.Sprintf("%d:%02d", int(t)/60, int(t)%60)
}

// ceiling returns a round value that no line exceeds.
func ceiling(lines []series) float64 {
	most := 0.0
	for _, l := range lines {
		for _, v := range l.values {
			if !math.IsNaN(v) {
				most = max(most, v)
			}
		}
	}
	if most <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(most)))
	for _, factor := range []float64{1, 2, 3, 4, 5, 6, 8, 10} {
		if factor*power >= most {
			return factor * power
		}
	}
	return 10 * power
}

func figure(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%gM", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%gk", v/1e3)
	}
	return fmt.Sprintf("%g", math.Round(v*100)/100)
}

// timeline draws a lane for each kind of harm, or each script.
func (r *reading) timeline() template.HTML {
	lanes, of := r.lanes()
	var out strings.Builder
	out.WriteString(`<div class="lanes">`)
	for _, name := range lanes {
		fmt.Fprintf(&out, `<div class="lane">%s</div>`, html.EscapeString(name))
		openDrawing(&out, laneHeight, fmt.Sprintf("%s, %d times", name, len(of[name])))
		for _, h := range of[name] {
			class := "harm"
			if h.seen < 0 {
				class = "undone"
			}
			r.band(&out, class, h.asked, h.over(), laneHeight, h.describe())
		}
		out.WriteString("</svg>")
	}
	r.axis(&out)
	out.WriteString("</div>")
	return template.HTML(out.String())
}

// lanes returns the kinds of harm in the order of their first, and the harms of each.
func (r *reading) lanes() (names []string, of map[string][]*harm) {
	of = map[string][]*harm{}
	for _, h := range r.harms {
		if of[h.name] == nil {
			names = append(names, h.name)
		}
		of[h.name] = append(of[h.name], h)
	}
	return names, of
}
