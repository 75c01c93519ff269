package targets

import (
	"context"
	"fmt"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// wanted returns what c says, in its order. A target without a region is in the SDK's. The
// caller holds s.applying.
func (s *Set) wanted(ctx context.Context, c *config.Config) ([]wanted, error) {
	var all []wanted
	for _, t := range c.Targets {
		if len(t.Regions) == 0 {
			region, err := s.defaultRegion(ctx, t.Name)
			if err != nil {
				return nil, err
			}
			t.Regions = []string{region}
			if err := t.CheckImageRegions(); err != nil {
				return nil, err
			}
		}
		for _, region := range t.Regions {
			all = append(all, wanted{key{t.Name, region}, t, c.Lookup})
		}
	}
	return all, nil
}

// defaultRegion returns the SDK's region, for the target of that name.
func (s *Set) defaultRegion(ctx context.Context, target string) (string, error) {
	if s.sdkRegion != "" {
		return s.sdkRegion, nil
	}
	region, err := imagebuilder.DefaultRegion(ctx)
	if err != nil {
		return "", err
	}
	if region == "" {
		return "", fmt.Errorf("target %q has no region: set regions in the configuration file, AWS_REGION or AWS_DEFAULT_REGION, or a region in the AWS profile; the instance metadata has none either", target)
	}
	if err := imagebuilder.CheckRegion(region); err != nil {
		return "", fmt.Errorf("the region of the AWS environment: %w", err)
	}
	s.sdkRegion = region
	return region, nil
}
