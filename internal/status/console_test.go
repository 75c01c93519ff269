package status

import "testing"

func TestConsole(t *testing.T) {
	for arn, want := range map[string]string{
		arnOf + "image/linux/1.0.0/1":                                            "https://eu-west-1.console.aws.amazon.com/imagebuilder/home?region=eu-west-1#/images/" + arnOf + "image/linux/1.0.0/1",
		"arn:aws-cn:imagebuilder:cn-north-1:111122223333:image-pipeline/a":       "https://cn-north-1.console.amazonaws.cn/imagebuilder/home?region=cn-north-1#/pipelines/arn:aws-cn:imagebuilder:cn-north-1:111122223333:image-pipeline/a",
		"arn:aws-us-gov:imagebuilder:us-gov-west-1:111122223333:image/a/1.0.0/1": "https://us-gov-west-1.console.amazonaws-us-gov.com/imagebuilder/home?region=us-gov-west-1#/images/arn:aws-us-gov:imagebuilder:us-gov-west-1:111122223333:image/a/1.0.0/1",
		"arn:aws-iso:imagebuilder:us-iso-east-1:111122223333:image/a/1.0.0/1":    "",
		"arn:aws:imagebuilder:evil.example/:111122223333:image/a/1.0.0/1":        "",
		"arn:aws:imagebuilder:eu-west-1:111122223333:image/\"><script>/1.0.0/1":  "",
		"arn:aws:imagebuilder:eu-west-1:111122223333:component/linux/1.0.0/1":    "",
		"": "",
	} {
		if got := consoleURL(arn); got != want {
			t.Errorf("%s: %q, want %q", arn, got, want)
		}
	}
}
