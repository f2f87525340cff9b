//! What people call AWS services.

/// `kms.amazonaws.com` is `KMS`. A service without a name here goes by its own: `batch`.
pub(super) fn name(source: &str) -> String {
    let host = source.split('.').next().unwrap_or_default();
    match NAMES.binary_search_by_key(&host, |(host, _)| host) {
        Ok(place) => NAMES[place].1.to_owned(), // OK because the place was found
        Err(_) if source.ends_with(".amazonaws.com") || source.ends_with(".amazonaws.com.cn") => host.to_owned(),
        Err(_) => source.to_owned(),
    }
}

/// By host, sorted.
const NAMES: &[(&str, &str)] = &[
    ("access-analyzer", "IAM Access Analyzer"),
    ("acm", "ACM"),
    ("apigateway", "API Gateway"),
    ("athena", "Athena"),
    ("autoscaling", "Auto Scaling"),
    ("backup", "AWS Backup"),
    ("bedrock", "Bedrock"),
    ("cloudformation", "CloudFormation"),
    ("cloudfront", "CloudFront"),
    ("cloudtrail", "CloudTrail"),
    ("codebuild", "CodeBuild"),
    ("cognito-identity", "Cognito"),
    ("cognito-idp", "Cognito"),
    ("config", "AWS Config"),
    ("dynamodb", "DynamoDB"),
    ("ec2", "EC2"),
    ("ecr", "ECR"),
    ("ecs", "ECS"),
    ("eks", "EKS"),
    ("elasticfilesystem", "EFS"),
    ("elasticloadbalancing", "Elastic Load Balancing"),
    ("events", "EventBridge"),
    ("glue", "Glue"),
    ("guardduty", "GuardDuty"),
    ("iam", "IAM"),
    ("identitystore", "IAM Identity Center"),
    ("inspector2", "Inspector"),
    ("kms", "KMS"),
    ("lambda", "Lambda"),
    ("logs", "CloudWatch Logs"),
    ("macie2", "Macie"),
    ("monitoring", "CloudWatch"),
    ("network-firewall", "Network Firewall"),
    ("organizations", "Organizations"),
    ("ram", "RAM"),
    ("rds", "RDS"),
    ("redshift", "Redshift"),
    ("route53", "Route 53"),
    ("route53domains", "Route 53"),
    ("s3", "S3"),
    ("sagemaker", "SageMaker"),
    ("secretsmanager", "Secrets Manager"),
    ("securityhub", "Security Hub"),
    ("ses", "SES"),
    ("signin", "AWS Sign-In"),
    ("sns", "SNS"),
    ("sqs", "SQS"),
    ("ssm", "Systems Manager"),
    ("sso", "IAM Identity Center"),
    ("sso-directory", "IAM Identity Center"),
    ("states", "Step Functions"),
    ("sts", "STS"),
    ("wafv2", "WAF"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_have_the_names_that_people_use() {
        assert!(NAMES.is_sorted_by_key(|(host, _)| host));
        for (source, expected) in [
            ("kms.amazonaws.com", "KMS"),
            ("monitoring.amazonaws.com", "CloudWatch"),
            ("batch.amazonaws.com", "batch"),
            ("somebody.example", "somebody.example"),
            ("", ""),
        ] {
            assert_eq!(name(source), expected);
        }
    }
}
