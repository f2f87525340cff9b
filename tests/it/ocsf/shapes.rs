//! Records of every shape that CloudTrail writes, and of some that it doesn't.

use serde_json::{Value, json};

use crate::support::{ACCOUNT, record, with};

/// A record by what is special about it.
pub(super) type Shape = (&'static str, Value);

/// Every shape.
pub(super) fn all() -> Vec<Shape> {
    [users(), sessions(), services(), sign_ins(), calls(), other_kinds(), odd()].concat()
}

/// A call by somebody.
fn by(name: &'static str, identity: Value) -> Shape {
    (name, with(record("StopLogging", name), &[("/userIdentity", identity)]))
}

fn role_session(mut context: Value) -> Value {
    let mut session = json!({
        "sessionIssuer": {"type": "Role", "principalId": "AROAEXAMPLE", "arn": "arn:aws:iam::111122223333:role/ci/deploy",
            "accountId": ACCOUNT, "userName": "deploy"},
        "attributes": {"creationDate": "2026-11-05T09:12:30Z", "mfaAuthenticated": "false"},
    });
    session.as_object_mut().unwrap().append(context.as_object_mut().unwrap());
    json!({
        "type": "AssumedRole", "principalId": "AROAEXAMPLE:i-0abc", "arn": "arn:aws:sts::111122223333:assumed-role/deploy/i-0abc",
        "accountId": ACCOUNT, "accessKeyId": "ASIAEXAMPLEKEYID0001", "sessionContext": session,
    })
}

fn users() -> Vec<Shape> {
    let user = json!({"type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": "arn:aws:iam::111122223333:user/alice",
        "accountId": ACCOUNT, "accessKeyId": "AKIAEXAMPLEKEYID0001", "userName": "alice"});
    let in_console = json!({"attributes": {"creationDate": "20261105T010628Z", "mfaAuthenticated": "true"}});
    let root = json!({"type": "Root", "principalId": ACCOUNT, "arn": "arn:aws:iam::111122223333:root", "accountId": ACCOUNT,
        "accessKeyId": "", "sessionContext": {"sessionIssuer": {}, "attributes": {"creationDate": "2026-11-05T09:00:00Z", "mfaAuthenticated": "false"}}});
    vec![
        by("a user with a key", user.clone()),
        by("a user in the console", with(user.clone(), &[("/sessionContext", in_console)])),
        by("a user through a service", with(user.clone(), &[("/invokedBy", json!("cloudformation.amazonaws.com"))])),
        by("a user through a product", with(user, &[("/invokedByDelegate", json!({"accountId": "444455556666"}))])),
        by("root", root.clone()),
        by("root, assumed", with(root, &[("/sessionContext/assumedRoot", json!("true"))])),
        by(
            "a federated user",
            json!({"type": "FederatedUser", "principalId": "111122223333:bob",
            "arn": "arn:aws:sts::111122223333:federated-user/bob", "accountId": ACCOUNT, "accessKeyId": "ASIAEXAMPLE",
            "sessionContext": {"sessionIssuer": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/alice"}}}),
        ),
        by(
            "a user of SAML",
            json!({"type": "SAMLUser", "principalId": "sZ1=:alice@example.com", "userName": "alice@example.com",
            "identityProvider": "sZ1="}),
        ),
        by(
            "a user of OIDC",
            json!({"type": "WebIdentityUser", "principalId": "token.example.com:app:repo",
            "userName": "repo", "identityProvider": "arn:aws:iam::111122223333:oidc-provider/token.example.com"}),
        ),
        by(
            "a user of Identity Center",
            json!({"type": "IdentityCenterUser", "accountId": ACCOUNT, "credentialId": "cred-1",
            "onBehalfOf": {"userId": "u-0001", "identityStoreArn": "arn:aws:identitystore::111122223333:identitystore/d-1"}}),
        ),
        by("a user of a directory", json!({"type": "Directory", "accountId": ACCOUNT, "userName": "carol"})),
    ]
}

fn sessions() -> Vec<Shape> {
    let person = "/userIdentity";
    let sso = with(
        role_session(json!({"signInSessionArn": "arn:aws:signin:eu-west-1:111122223333:session/5d0b"})),
        &[
            ("/principalId", json!("AROAEXAMPLE:alice@example.com")),
            ("/arn", json!("arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123/alice@example.com")),
            (
                "/onBehalfOf",
                json!({"userId": "u-0001", "identityStoreArn": "arn:aws:identitystore::111122223333:identitystore/d-1"}),
            ),
        ],
    );
    let function = with(
        role_session(json!({})),
        &[(
            "/inScopeOf",
            json!({"sourceArn": "arn:aws:lambda:eu-west-1:111122223333:function:f",
            "sourceAccount": ACCOUNT, "issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": "arn:aws:lambda:eu-west-1:111122223333:function:f"}),
        )],
    );
    let oidc = json!({"webIdFederationData": {"federatedProvider": "arn:aws:iam::111122223333:oidc-provider/token.example.com", "attributes": {}}});
    let cognito = json!({"webIdFederationData": {"federatedProvider": "cognito-identity.amazonaws.com"}});
    vec![
        by("a session of an instance", role_session(json!({"ec2RoleDelivery": "2.0"}))),
        by("a session of Identity Center", sso),
        by("a session of a function", function),
        by("a chained session", role_session(json!({"sourceIdentity": "alice@example.com"}))),
        by("a session of OIDC", role_session(oidc)),
        by("a session of Cognito", role_session(cognito)),
        by(
            "a session without context",
            json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/app/x"}),
        ),
        (
            "a session in the console",
            with(
                record("StopLogging", "a session in the console"),
                &[(person, role_session(json!({}))), ("/sessionCredentialFromConsole", json!("true"))],
            ),
        ),
    ]
}

fn services() -> Vec<Shape> {
    let service = |name: &'static str, identity: Value, source: &str| {
        let changes = [("/sourceIPAddress", json!(source)), ("/userAgent", json!(source))];
        (name, with(by(name, identity).1, &changes))
    };
    let rotated = with(
        service("a service event", json!({"accountId": ACCOUNT, "invokedBy": "AWS Internal"}), "AWS Internal").1,
        &[
            ("/eventName", json!("RotateKey")),
            ("/eventSource", json!("kms.amazonaws.com")),
            ("/eventType", json!("AwsServiceEvent")),
            ("/requestParameters", Value::Null),
            (
                "/resources",
                json!([{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": "arn:aws:kms:us-west-2:111122223333:key/1234abcd"}]),
            ),
        ],
    );
    let foreign = json!({"type": "AWSAccount", "principalId": "AROAFOREIGN:bob", "accountId": "444455556666"});
    let copy = with(by("another account's copy", foreign).1, &[("/sharedEventID", json!("702f74c4"))]);
    vec![
        service(
            "a service",
            json!({"type": "AWSService", "invokedBy": "delivery.logs.amazonaws.com"}),
            "delivery.logs.amazonaws.com",
        ),
        ("a service event", rotated),
        ("another account's copy", copy),
        by("an anonymous caller", json!({"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"})),
    ]
}

fn sign_ins() -> Vec<Shape> {
    let signed_in = |name: &'static str, identity: Value, result: &str, extra: Value| {
        let changes = [
            ("/eventSource", json!("signin.amazonaws.com")),
            ("/eventName", json!("ConsoleLogin")),
            ("/eventType", json!("AwsConsoleSignIn")),
            ("/requestParameters", Value::Null),
            ("/requestID", Value::Null),
            ("/responseElements", json!({"ConsoleLogin": result})),
            ("/additionalEventData", extra),
            (
                "/tlsDetails",
                json!({"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": "signin.aws.amazon.com"}),
            ),
        ];
        let record = with(by(name, identity).1, &changes);
        (
            name,
            if result == "Failure" {
                with(record, &[("/errorMessage", json!("Failed authentication"))])
            } else {
                record
            },
        )
    };
    let root =
        json!({"type": "Root", "principalId": ACCOUNT, "arn": "arn:aws:iam::111122223333:root", "accountId": ACCOUNT});
    let nameless = json!({"type": "IAMUser", "principalId": "AIDAEXAMPLE", "accountId": ACCOUNT, "accessKeyId": "", "userName": "alice"});
    let hidden = json!({"type": "IAMUser", "accountId": ACCOUNT, "accessKeyId": "", "userName": "HIDDEN_DUE_TO_SECURITY_REASONS"});
    let portal = json!({"type": "Unknown", "principalId": ACCOUNT, "arn": "", "accountId": ACCOUNT, "accessKeyId": ""});
    vec![
        signed_in("root signed in with MFA", root.clone(), "Success", json!({"MFAUsed": "Yes", "MobileVersion": "No"})),
        signed_in("root failed to sign in", root, "Failure", json!({"MFAUsed": "No"})),
        signed_in("a user failed to sign in", nameless, "Failure", json!({"MFAUsed": "No"})),
        signed_in("nobody failed to sign in", hidden, "Failure", json!({"MFAUsed": "No"})),
        signed_in(
            "somebody signed in to the portal",
            portal,
            "Success",
            json!({"UserName": "dora", "AuthWorkflowID": "w"}),
        ),
    ]
}

fn calls() -> Vec<Shape> {
    let call = |name: &'static str, changes: &[(&str, Value)]| (name, with(record("StopLogging", name), changes));
    vec![
        call(
            "a refused call",
            &[("/errorCode", json!("AccessDenied")), ("/errorMessage", json!("User: x is not authorized"))],
        ),
        call("a call that failed without a code", &[("/errorMessage", json!("it broke"))]),
        call(
            "a data event",
            &[
                ("/eventSource", json!("s3.amazonaws.com")),
                ("/eventName", json!("GetObject")),
                ("/eventCategory", json!("Data")),
                ("/managementEvent", json!(false)),
                ("/readOnly", json!(true)),
                ("/sourceIPAddress", json!("2001:db8::1")),
                ("/userAgent", json!("[aws-cli/2.31.4]")),
                ("/apiVersion", json!("2006-03-01")),
                (
                    "/resources",
                    json!([{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::bucket/a/b.txt"},
                    {"accountId": "444455556666", "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::bucket"}]),
                ),
                ("/tlsDetails", json!({"tlsVersion": "TLSv1.3", "keyExchange": "x25519"})),
            ],
        ),
        call(
            "a call through a VPC endpoint",
            &[
                ("/sourceIPAddress", json!("10.30.4.12")),
                ("/vpcEndpointId", json!("vpce-0123456789abcdef0")),
                ("/vpcEndpointAccountId", json!("444455556666")),
            ],
        ),
        call(
            "a call through an endpoint of AWS",
            &[
                ("/sourceIPAddress", Value::Null),
                ("/vpcEndpointId", json!("AWS Internal")),
                ("/vpcEndpointAccountId", json!("AWS Internal")),
            ],
        ),
        call("a mapped address", &[("/sourceIPAddress", json!("::ffff:203.0.113.9"))]),
        call("China", &[("/awsRegion", json!("cn-north-1"))]),
        call("GovCloud", &[("/awsRegion", json!("us-gov-west-1"))]),
        call("another cloud of Europe", &[("/awsRegion", json!("eusc-de-east-1"))]),
        call(
            "a call of IAM",
            &[("/eventSource", json!("iam.amazonaws.com")), ("/requestParameters", json!({"userName": "bob"}))],
        ),
        call("a call without a resource", &[("/requestParameters", Value::Null)]),
        call(
            "an old record",
            &[("/eventVersion", json!("1.0")), ("/recipientAccountId", Value::Null), ("/eventCategory", Value::Null)],
        ),
        call("an addendum", &[("/addendum", json!({"reason": "UPDATED_DATA", "originalEventID": "e"}))]),
    ]
}

fn other_kinds() -> Vec<Shape> {
    let insight = json!({
        "eventVersion": "1.08", "eventTime": "2026-11-05T09:42:00Z", "awsRegion": "us-east-1", "eventID": "55ed45c5",
        "eventType": "AwsCloudTrailInsight", "recipientAccountId": ACCOUNT, "sharedEventID": "979c82fe", "eventCategory": "Insight",
        "insightDetails": {"state": "Start", "eventSource": "autoscaling.amazonaws.com", "eventName": "CompleteLifecycleAction",
            "insightType": "ApiErrorRateInsight", "errorCode": "AccessDenied", "insightContext": {"statistics": {"baseline": {"average": 9.82222E-5}}}},
    });
    let network = json!({
        "eventVersion": "1.09", "userIdentity": {"type": "AWSAccount", "principalId": "AROAEXAMPLE:x", "accountId": "444455556666"},
        "eventTime": "2026-11-05T09:57:12Z", "eventSource": "kms.amazonaws.com", "eventName": "ListKeys", "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.0", "errorCode": "VpceAccessDenied", "errorMessage": "The request was denied due to a VPC endpoint policy",
        "requestID": "899003b8", "eventID": "7c6e3d04", "eventType": "AwsVpceEvent", "recipientAccountId": ACCOUNT,
        "sharedEventID": "702f74c4", "vpcEndpointId": "vpce-0123456789abcdef0", "vpcEndpointAccountId": ACCOUNT, "eventCategory": "NetworkActivity",
    });
    let aggregated = json!({
        "eventVersion": "1.0", "accountId": ACCOUNT, "eventId": "62759c1a", "eventCategory": "Aggregated", "eventType": "AwsAggregatedEvent",
        "awsRegion": "us-west-2", "eventSource": "s3.amazonaws.com",
        "timeWindow": {"windowStart": "2026-11-05T09:20:00Z", "windowEnd": "2026-11-05T09:25:00Z", "windowSize": "PT5M"},
        "summary": {"primaryDimension": {"dimension": "eventName", "statistics": [{"name": "PutObject", "value": 1000}], "aggregationType": "Count"}},
    });
    vec![
        ("an insight", insight.clone()),
        ("the end of an insight", with(insight, &[("/insightDetails/state", json!("End")), ("/eventID", json!("66"))])),
        ("network activity", network),
        ("aggregated events", aggregated),
        (
            "a console action",
            with(
                record("GetBillsForBillingPeriod", "console"),
                &[
                    ("/eventType", json!("AwsConsoleAction")),
                    ("/requestID", Value::Null),
                    ("/eventSource", json!("billingconsole.amazonaws.com")),
                ],
            ),
        ),
    ]
}

/// What CloudTrail doesn't write today.
fn odd() -> Vec<Shape> {
    let hostile = "x\r\n\u{1b}[2J\u{202e} <https://evil.example|click> \" } , \u{1f600} \u{0} AKIA";
    let everywhere: Vec<(&str, Value)> = [
        "/userIdentity/type",
        "/userIdentity/arn",
        "/userIdentity/accountId",
        "/userIdentity/principalId",
        "/userIdentity/userName",
        "/userIdentity/accessKeyId",
        "/userIdentity/invokedBy",
        "/awsRegion",
        "/sourceIPAddress",
        "/userAgent",
        "/errorCode",
        "/errorMessage",
        "/eventName",
        "/eventSource",
        "/eventType",
        "/eventCategory",
        "/eventID",
        "/requestID",
        "/recipientAccountId",
        "/vpcEndpointId",
        "/vpcEndpointAccountId",
        "/apiVersion",
    ]
    .map(|pointer| (pointer, json!(hostile)))
    .to_vec();
    let numbers: Vec<(&str, Value)> = everywhere.iter().map(|(pointer, _)| (*pointer, json!([{"a": 1}]))).collect();
    let arns = json!([{"ARN": "arn:", "type": 5}, {"ARN": "arn::::::"}, {"ARN": "bucket", "accountId": []}, {"ARN": ""}, 7, null]);
    vec![
        by("an identity of the future", json!({"type": "Robot", "principalId": "R-1", "accountId": ACCOUNT})),
        by("an identity without a type", json!({"principalId": "P-1"})),
        by("no identity", json!({})),
        by("an identity that is none", json!("alice")),
        by("a provider alone", json!({"type": "SAMLUser", "identityProvider": "sZ1="})),
        ("a record with nothing in it", json!({"eventVersion": "1.11"})),
        ("a record with a name alone", json!({"eventName": "X"})),
        ("hostile texts", with(record("StopLogging", "hostile"), &everywhere)),
        ("lists for texts", with(record("StopLogging", "lists"), &numbers)),
        ("broken ARNs", with(record("StopLogging", "arns"), &[("/resources", arns)])),
        ("a time that is none", with(record("StopLogging", "time"), &[("/eventTime", json!("yesterday"))])),
    ]
}
