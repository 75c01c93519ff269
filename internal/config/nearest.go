package config

import "strings"

// nearest returns which of the allowed keys a user may have meant, empty for none. Case,
// hyphens and underscores make no difference, nor does a letter or two.
func nearest(key string, allowed []string) string {
	const longest = 40 // of a key that is worth a comparison
	if len(key) > longest {
		return ""
	}
	name, least := "", 3
	for _, candidate := range allowed {
		a, b := folded(key), folded(candidate)
		if n := distance(a, b); n < least && n <= len(b)/3 {
			name, least = candidate, n
		}
	}
	return name
}

func folded(key string) string {
	return strings.NewReplacer("_", "", "-", "", ".", "", " ", "").Replace(strings.ToLower(key))
}

// distance returns how many letters have to be added, removed, replaced, or exchanged with the
// next one, to make b of a.
func distance(a, b string) int {
	n := make([][]int, len(a)+1) // of the beginnings of both
	for i := range n {
		n[i] = make([]int, len(b)+1)
		for j := range n[i] {
			switch {
			case i == 0 || j == 0:
				n[i][j] = i + j
				continue
			case a[i-1] == b[j-1]:
				n[i][j] = n[i-1][j-1]
				continue
			}
			n[i][j] = 1 + min(n[i-1][j-1], n[i-1][j], n[i][j-1])
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				n[i][j] = min(n[i][j], 1+n[i-2][j-2])
			}
		}
	}
	return n[len(a)][len(b)]
}
