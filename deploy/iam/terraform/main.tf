# The policies come from the JSON files in the parent directory. This file only replaces their
# example values.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  partition = data.aws_partition.current.partition
  account   = data.aws_caller_identity.current.account_id

  # The table in docs/iam.md.
  statements = {
    workflow_executions = ["Executions"]
    pipelines           = ["Selection", "SelectionOfBuilds", "ExecutionsOfImages", "Images"]
    images              = ["Images", "BuildsOfImages", "ExecutionsOfImages", "SelectionOfImages"]
    steps               = ["Steps"]
    waiting             = ["Waiting", "WaitingUntil"]
  }
  reader = jsondecode(file("${path.module}/../reader.json"))
  reader_policy = jsonencode(merge(local.reader, {
    Statement = [
      for s in local.reader.Statement : merge(s, {
        Resource = distinct([
          for region in var.regions :
          replace(s.Resource, "/^arn:[^:]+:imagebuilder:[^:]+:[^:]+:/", "arn:${local.partition}:imagebuilder:${region}:${local.account}:")
        ])
      }) if contains(flatten([for f in var.features : local.statements[f]]), s.Sid)
    ]
  }))

  assume_role = jsondecode(file("${path.module}/../assume-role.json"))
  assume_role_policy = jsonencode(merge(local.assume_role, {
    Statement = [for s in local.assume_role.Statement : merge(s, { Resource = var.assume_role_arns })]
  }))

  trust           = jsondecode(file("${path.module}/../trust-${var.trust}.json"))
  issuer          = try(split(":oidc-provider/", var.oidc_provider_arn)[1], "")
  service_account = var.service_account != null ? var.service_account : { namespace = "", name = "" }
  has_external_id = nonsensitive(var.external_id != null)
  trust_changes = {
    ec2 = { Principal = { Service = "ec2.${data.aws_partition.current.dns_suffix}" } }
    irsa = {
      Principal = { Federated = var.oidc_provider_arn }
      Condition = { StringEquals = {
        "${local.issuer}:aud" = "sts.amazonaws.com"
        "${local.issuer}:sub" = "system:serviceaccount:${local.service_account.namespace}:${local.service_account.name}"
      } }
    }
    pod-identity = {
      Condition = { StringEquals = {
        "aws:RequestTag/kubernetes-namespace"       = local.service_account.namespace
        "aws:RequestTag/kubernetes-service-account" = local.service_account.name
      } }
    }
    role = {
      Principal = { AWS = var.trusted_role_arn }
      Condition = { StringEquals = { "sts:ExternalId" = var.external_id } }
    }
  }
  trust_policy = jsonencode(merge(local.trust, {
    Statement = [
      for s in local.trust.Statement : {
        for k, v in merge(s, local.trust_changes[var.trust]) : k => v
        if k != "Condition" || can(s.Condition) && (var.trust != "role" || local.has_external_id)
      }
    ]
  }))
}

resource "aws_iam_role" "exporter" {
  name               = var.name
  description        = "Reads EC2 Image Builder for imagebuilder_exporter."
  assume_role_policy = local.trust_policy
  tags               = var.tags

  lifecycle {
    precondition {
      condition     = (var.trust == "role") == (var.trusted_role_arn != null)
      error_message = "trusted_role_arn is required with trust = \"role\", and not allowed otherwise."
    }
    precondition {
      condition     = var.trust == "role" || !local.has_external_id
      error_message = "external_id is allowed only with trust = \"role\"."
    }
    precondition {
      condition     = (var.trust == "irsa") == (var.oidc_provider_arn != null)
      error_message = "oidc_provider_arn is required with trust = \"irsa\", and not allowed otherwise."
    }
    precondition {
      condition     = contains(["irsa", "pod-identity"], var.trust) == (var.service_account != null)
      error_message = "service_account is required with trust = \"irsa\" and trust = \"pod-identity\", and not allowed otherwise."
    }
  }
}

resource "aws_iam_instance_profile" "exporter" {
  count = var.trust == "ec2" ? 1 : 0

  name = var.name
  role = aws_iam_role.exporter.name
  tags = var.tags
}

resource "aws_iam_policy" "reader" {
  count = length(var.features) > 0 ? 1 : 0

  name        = "${var.name}-reader"
  description = "What imagebuilder_exporter reads of EC2 Image Builder."
  policy      = local.reader_policy
  tags        = var.tags

  lifecycle {
    precondition {
      condition     = length(var.regions) > 0
      error_message = "regions is empty. features requires the regions of the configuration."
    }
    precondition {
      condition     = length(local.reader_policy) <= 6144
      error_message = "With so many regions, the policy has more than the 6,144 characters that IAM allows. Use regions = [\"*\"]."
    }
  }
}

resource "aws_iam_role_policy_attachment" "reader" {
  count = length(var.features) > 0 ? 1 : 0

  role       = aws_iam_role.exporter.name
  policy_arn = aws_iam_policy.reader[0].arn
}

resource "aws_iam_policy" "assume_role" {
  count = length(var.assume_role_arns) > 0 ? 1 : 0

  name        = "${var.name}-assume-role"
  description = "Which roles imagebuilder_exporter may assume."
  policy      = local.assume_role_policy
  tags        = var.tags
}

resource "aws_iam_role_policy_attachment" "assume_role" {
  count = length(var.assume_role_arns) > 0 ? 1 : 0

  role       = aws_iam_role.exporter.name
  policy_arn = aws_iam_policy.assume_role[0].arn
}
