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

// distance returns how many letters have to be added, removed or replaced to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
