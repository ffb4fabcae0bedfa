package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// units of sizes, largest first: a size is shown in the largest that divides it.
var units = []struct {
	name string
	size int
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// size is a number of bytes, bare or with a unit: 32768, 32KiB, 64 MiB.
func size(low int) kind[int] {
	return kind[int]{
		name: "bytes",
		parse: func(s string) (int, error) {
			n, ok := parseSize(s)
			if !ok || n < low {
				return 0, fmt.Errorf("is not a size of %s or more, such as 32KiB or 64MiB", formatSize(low))
			}
			return n, nil
		},
		format: formatSize,
	}
}

func parseSize(s string) (int, bool) {
	factor := 1
	for _, unit := range units {
		if digits, ok := strings.CutSuffix(s, unit.name); ok {
			s, factor = strings.TrimSpace(digits), unit.size
			break
		}
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > math.MaxInt/factor {
		return 0, false
	}
	return n * factor, true
}

func formatSize(n int) string {
	for _, unit := range units {
		if n%unit.size == 0 && n >= unit.size {
			return strconv.Itoa(n/unit.size) + unit.name
		}
	}
	return strconv.Itoa(n)
}
