package opentofu

import (
	"context"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// In the environment of the double: in whose account it is.
const (
	envPartition = "DOUBLE_PARTITION"
	envAccount   = "DOUBLE_ACCOUNT"
)

// serve serves the double to OpenTofu, which has started this program as a provider.
func serve() error {
	return providerserver.Serve(context.Background(), func() provider.Provider { return double{} },
		providerserver.ServeOpts{Address: "registry.opentofu.org/hashicorp/aws"})
}

// double is a provider that has the resources and data sources of deploy/iam/terraform,
// with the arguments that it gives them, named as in the provider hashicorp/aws. Nothing
// outlives it but OpenTofu's state.
type double struct{}

func (double) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "aws"
}

func (double) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse) {}

func (double) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {}

func (double) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		func() resource.Resource {
			return object{kind: "role", required: []string{"assume_role_policy"}, optional: []string{"name", "description"}}
		},
		func() resource.Resource {
			return object{kind: "policy", required: []string{"policy"}, optional: []string{"name", "description"}}
		},
		func() resource.Resource {
			return object{kind: "instance_profile", optional: []string{"name", "role"}}
		},
		func() resource.Resource {
			return object{kind: "role_policy_attachment", required: []string{"role", "policy_arn"}}
		},
	}
}

func (double) DataSources(context.Context) []func() datasource.DataSource {
	suffix := "amazonaws.com"
	if os.Getenv(envPartition) == "aws-cn" {
		suffix = "amazonaws.com.cn"
	}
	return []func() datasource.DataSource{
		func() datasource.DataSource {
			return facts{"caller_identity", map[string]string{"account_id": os.Getenv(envAccount)}}
		},
		func() datasource.DataSource {
			return facts{"partition", map[string]string{"partition": os.Getenv(envPartition), "dns_suffix": suffix}}
		},
	}
}

// object is a resource of IAM. All its arguments are strings, but the tags.
type object struct {
	kind               string
	required, optional []string
}

func (o object) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "aws_iam_" + o.kind
}

// named reports whether there is an ARN with the name of the object.
func (o object) named() bool {
	return o.kind != "role_policy_attachment"
}

func (o object) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema.Attributes = map[string]schema.Attribute{"id": schema.StringAttribute{Computed: true}}
	for _, name := range o.required {
		resp.Schema.Attributes[name] = schema.StringAttribute{Required: true}
	}
	for _, name := range o.optional {
		resp.Schema.Attributes[name] = schema.StringAttribute{Optional: true}
	}
	if o.named() {
		resp.Schema.Attributes["arn"] = schema.StringAttribute{Computed: true}
		resp.Schema.Attributes["tags"] = schema.MapAttribute{Optional: true, ElementType: types.StringType}
	}
}

func (o object) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	resp.State.Raw = req.Plan.Raw
	id := "attachment"
	if o.named() {
		var name string
		resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("name"), &name)...)
		id = fmt.Sprintf("arn:%s:iam::%s:%s/%s", os.Getenv(envPartition), os.Getenv(envAccount), o.kind, name)
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("arn"), id)...)
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), id)...)
}

func (object) Read(context.Context, resource.ReadRequest, *resource.ReadResponse) {}

func (object) Update(_ context.Context, _ resource.UpdateRequest, resp *resource.UpdateResponse) {
	resp.Diagnostics.AddError("The double changes nothing.", "Something is planned anew that has not changed.")
}

func (object) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}

// facts is a data source without arguments.
type facts struct {
	kind   string
	values map[string]string
}

func (f facts) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "aws_" + f.kind
}

func (f facts) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema.Attributes = map[string]data.Attribute{}
	for name := range f.values {
		resp.Schema.Attributes[name] = data.StringAttribute{Computed: true}
	}
}

func (f facts) Read(ctx context.Context, _ datasource.ReadRequest, resp *datasource.ReadResponse) {
	for name, value := range f.values {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(name), value)...)
	}
}
