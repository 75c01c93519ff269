variable "name" {
  description = "Name of the role and its instance profile, and prefix of the names of its policies."
  type        = string
  default     = "imagebuilder-exporter"
  nullable    = false
}

variable "trust" {
  description = "Who may assume the role: ec2, irsa or pod-identity for the machine or pod of the exporter, or role for an exporter with another role."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["ec2", "irsa", "pod-identity", "role"], var.trust)
    error_message = "trust must be ec2, irsa, pod-identity or role."
  }
}

variable "trusted_role_arn" {
  description = "With trust = \"role\": the role of the exporter, in this account or another one."
  type        = string
  default     = null

  validation {
    condition     = var.trusted_role_arn == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[0-9A-Za-z_+=,.@/-]+$", var.trusted_role_arn))
    error_message = "trusted_role_arn must be the ARN of a role, such as arn:aws:iam::111122223333:role/monitoring."
  }
}

variable "external_id" {
  description = "With trust = \"role\": the external_id of the exporter's configuration, null for none."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.external_id == null || can(regex("^[0-9A-Za-z_+=,.@:/-]{2,}$", var.external_id)) && try(length(var.external_id) <= 1224, false)
    error_message = "external_id must consist of 2 to 1224 letters, digits and _+=,.@:/-."
  }
}

variable "oidc_provider_arn" {
  description = "With trust = \"irsa\": the OIDC provider of the cluster."
  type        = string
  default     = null

  validation {
    condition     = var.oidc_provider_arn == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/[0-9A-Za-z./_-]+$", var.oidc_provider_arn))
    error_message = "oidc_provider_arn must be the ARN of an OIDC provider, such as arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE."
  }
}

variable "service_account" {
  description = "With trust = \"irsa\" or \"pod-identity\": the Kubernetes service account of the exporter."
  type        = object({ namespace = string, name = string })
  default     = null

  validation {
    condition     = var.service_account == null || can([for s in values(var.service_account) : regex("^[0-9a-z.-]+$", s)])
    error_message = "The namespace and name of service_account must consist of lower-case letters, digits, dots and dashes."
  }
}

variable "features" {
  description = "What the configuration of the exporter selects: workflow_executions, pipelines and images, and steps and waiting unless they are turned off. Empty for an exporter that reads only through other roles."
  type        = set(string)
  default     = ["pipelines", "steps", "waiting"]
  nullable    = false

  validation {
    condition     = length(setsubtract(var.features, ["workflow_executions", "pipelines", "images", "steps", "waiting"])) == 0
    error_message = "features must be workflow_executions, pipelines, images, steps or waiting."
  }
  validation {
    condition     = length(var.features) == 0 || length(setintersection(var.features, ["workflow_executions", "pipelines", "images"])) > 0
    error_message = "features requires workflow_executions, pipelines or images. Otherwise nothing is selected."
  }
  validation {
    condition     = !contains(var.features, "waiting") || length(setintersection(var.features, ["pipelines", "images", "steps"])) > 0
    error_message = "In features, waiting requires pipelines, images or steps. Otherwise the exporter does not look up waiting steps."
  }
}

variable "regions" {
  description = "The regions of the exporter's configuration, or [\"*\"] for all."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = can([for r in var.regions : regex("^([*]|[a-z]{2,8}(-[a-z]{2,12}){1,3}-[0-9]{1,2})$", r)])
    error_message = "regions must be names of AWS regions, such as eu-west-1, or [\"*\"]."
  }
}

variable "assume_role_arns" {
  description = "Every role_arn of the exporter's configuration."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = can([for r in var.assume_role_arns : regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[0-9A-Za-z_+=,.@/-]+$", r)])
    error_message = "assume_role_arns must be ARNs of roles, such as arn:aws:iam::444455556666:role/imagebuilder-exporter."
  }
}

variable "tags" {
  description = "Tags of all resources."
  type        = map(string)
  default     = {}
}
