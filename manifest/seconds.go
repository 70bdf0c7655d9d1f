package manifest

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// parseSeconds reads a JSON number of seconds to the nearest nanosecond. It
// fails for what is no number, is not finite, or lasts longer than a
// time.Duration can (292 years).
func parseSeconds(raw string) (time.Duration, bool) {
	if d, ok := parseShort(raw); ok {
		return d, true
	}
	if c := raw[0]; c != '-' && (c < '0' || c > '9') {
		return 0, false
	}
	s, err := strconv.ParseFloat(raw, 64)
	ns := math.Round(s * 1e9)
	if err != nil || !(math.Abs(ns) < math.MaxInt64) {
		return 0, false
	}
	return time.Duration(ns), true
}

// parseShort reads exactly what appendSeconds writes, and most of what others
// do: 3, 12.345.
func parseShort(raw string) (time.Duration, bool) {
	const before, behind = 10, 9 // the point, in digits: below 2^64 ns
	raw, negative := strings.CutPrefix(raw, "-")
	var ns uint64
	i := 0
	for ; i < len(raw) && raw[i] >= '0' && raw[i] <= '9'; i++ {
		ns = ns*10 + uint64(raw[i]-'0')
		if i >= before {
			return 0, false
		}
	}
	if i == 0 {
		return 0, false
	}
	decimals := 0
	if i < len(raw) && raw[i] == '.' {
		for i++; i < len(raw) && raw[i] >= '0' && raw[i] <= '9'; i++ {
			ns = ns*10 + uint64(raw[i]-'0')
			if decimals++; decimals > behind {
				return 0, false
			}
		}
	}
	if i < len(raw) {
		return 0, false
	}
	for ; decimals < behind; decimals++ {
		ns *= 10
	}
	if negative {
		return -time.Duration(ns), ns <= 1<<63
	}
	return time.Duration(ns), ns < 1<<63
}

// appendSeconds writes a duration exactly, as Python writes a float: 3.0,
// 0.25.
func appendSeconds(b []byte, d time.Duration) []byte {
	ns := uint64(d)
	if d < 0 {
		b = append(b, '-')
		ns = -ns
	}
	b = strconv.AppendUint(b, ns/1e9, 10)
	b = append(b, '.')
	rest := ns % 1e9
	for unit := uint64(1e8); ; unit /= 10 {
		b = append(b, byte('0'+rest/unit))
		if rest %= unit; rest == 0 {
			return b
		}
	}
}
