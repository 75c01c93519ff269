package status

// nameWidth is how many characters of a name tables show.
const nameWidth = 40

// middle cuts s to n characters, in the middle: names often differ at their ends.
func middle(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n/2]) + "…" + string(r[len(r)-(n-1-n/2):])
}

// name is how tables show a name.
func name(s string) string { return middle(s, nameWidth) }
