package collector

import "github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"

// pages says where browsers find the exporter's pages of a target, so that the texts of alerts and
// dashboards can lead there.
func pages(externalURL string) family {
	at := label[*lookup.Snapshot]{"url", func(*lookup.Snapshot) string { return externalURL }}
	return newFamily("pages", tableOf(newKind(itself, at),
		gauge("imagebuilder_target_page_info",
			"1: the url at which browsers reach the exporter that looks up the target, without a trailing slash. Absent without --web.external-url.",
			func(*lookup.Snapshot) (float64, bool) { return 1, true })))
}
