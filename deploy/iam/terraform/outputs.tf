output "role_arn" {
  description = "The role of the exporter, or the role_arn in its configuration for this account."
  value       = aws_iam_role.exporter.arn
}

output "instance_profile_name" {
  description = "With trust = \"ec2\": the instance profile of the exporter. Otherwise null."
  value       = one(aws_iam_instance_profile.exporter[*].name)
}

output "reader_policy_arn" {
  description = "The policy for the features, or null without features."
  value       = one(aws_iam_policy.reader[*].arn)

  # Not in the role, because two roles of one configuration may refer to each other.
  precondition {
    condition     = length(var.features) + length(var.assume_role_arns) > 0
    error_message = "The role has no permission. Set features or assume_role_arns."
  }
}
