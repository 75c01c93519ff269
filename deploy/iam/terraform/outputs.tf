output "role_arn" {
  description = "The role of the exporter, or its role_arn in this account."
  value       = aws_iam_role.exporter.arn
}

output "instance_profile_name" {
  description = "With trust = \"ec2\": what an instance needs, else null."
  value       = one(aws_iam_instance_profile.exporter[*].name)
}

output "reader_policy_arn" {
  description = "The policy of features, null without any."
  value       = one(aws_iam_policy.reader[*].arn)

  # Not at the role, for two roles of one configuration may name each other.
  precondition {
    condition     = length(var.features) + length(var.assume_role_arns) > 0
    error_message = "The role may do nothing; it needs features or assume_role_arns."
  }
}
