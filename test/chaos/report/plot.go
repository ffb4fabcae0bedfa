package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
)

// The geometry of plots, in units of their view box.
const (
	plotWidth  = 960.0
	plotLeft   = 168.0
	plotRight  = 12.0
	plotTop    = 8.0
	plotHeight = 110.0
	axisHeight = 20.0
	laneHeight = 18.0
)

// x is where a time stands.
func (r *reading) x(t float64) float64 {
	return plotLeft + t/max(r.last, 0.001)*(plotWidth-plotLeft-plotRight)
}

// plot draws lines over the bands of the harms.
func (r *reading) plot(title, unit string, lines ...series) template.HTML {
	top := ceiling(lines)
	var svg strings.Builder
	height := plotTop + plotHeight + axisHeight
	fmt.Fprintf(&svg, `<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, plotWidth, height, html.EscapeString(title))
	r.bands(&svg, plotTop, plotHeight)
	for _, part := range []float64{0, 0.5, 1} {
		y := plotTop + plotHeight*(1-part)
		fmt.Fprintf(&svg, `<line class="grid" x1="%g" x2="%g" y1="%g" y2="%g"/>`, plotLeft, plotWidth-plotRight, y, y)
		fmt.Fprintf(&svg, `<text class="label" x="%g" y="%g" text-anchor="end">%s</text>`, plotLeft-6, y+4, figure(part*top))
	}
	r.axis(&svg, plotTop+plotHeight)
	for _, l := range lines {
		fmt.Fprintf(&svg, `<path class="line %s" d="%s"><title>%s, %s</title></path>`, l.class, r.path(l.values, top), html.EscapeString(l.name), unit)
	}
	svg.WriteString("</svg>")
	return template.HTML(svg.String())
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
		fmt.Fprintf(&d, "%s%.1f %.1f", pen, r.x(t), plotTop+plotHeight*(1-v/top))
		if pen == "M" {
			fmt.Fprintf(&d, "l0.1 0") // a lone value is a dot
		}
		pen = "L"
	}
	return d.String()
}

// bands marks the harms that befell everyone.
func (r *reading) bands(svg *strings.Builder, top, height float64) {
	for _, h := range r.harms {
		if h.client >= 0 || h.seen < 0 {
			continue
		}
		r.band(svg, h, "band", top, height)
	}
}

func (r *reading) band(svg *strings.Builder, h *harm, class string, top, height float64) {
	over := h.healed
	if over < 0 {
		over = h.asked
	}
	width := max(1.5, r.x(over)-r.x(h.asked))
	fmt.Fprintf(svg, `<rect class="%s" x="%.1f" y="%g" width="%.1f" height="%g"><title>%s</title></rect>`,
		class, r.x(h.asked), top, width, height, html.EscapeString(h.describe()))
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

// axis draws the time.
func (r *reading) axis(svg *strings.Builder, y float64) {
	step := stepOf(r.last)
	for t := 0.0; t <= r.last; t += step {
		fmt.Fprintf(svg, `<text class="label" x="%.1f" y="%g" text-anchor="middle">%s</text>`, r.x(t), y+15, clock(t))
	}
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
	var svg strings.Builder
	height := float64(len(lanes))*laneHeight + axisHeight
	fmt.Fprintf(&svg, `<svg viewBox="0 0 %g %g" role="img" aria-label="timeline of harms">`, plotWidth, height)
	for i, name := range lanes {
		y := float64(i) * laneHeight
		fmt.Fprintf(&svg, `<line class="grid" x1="%g" x2="%g" y1="%g" y2="%g"/>`, plotLeft, plotWidth-plotRight, y+laneHeight, y+laneHeight)
		for _, h := range of[name] {
			class := "harm"
			if h.seen < 0 {
				class = "undone"
			}
			r.band(&svg, h, class, y+3, laneHeight-6)
		}
		fmt.Fprintf(&svg, `<text class="lane" x="%g" y="%g" text-anchor="end">%s</text>`, plotLeft-6, y+laneHeight-5, html.EscapeString(name))
	}
	r.axis(&svg, float64(len(lanes))*laneHeight)
	svg.WriteString("</svg>")
	return template.HTML(svg.String())
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
