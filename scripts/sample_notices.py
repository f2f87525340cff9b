"""Sample messages for the notifier: what else comes on the alert topic besides alerts, and channels to tell.

Pure: documents out. `make_sample_events.py` writes them. Alerts themselves are made by trailhound: `invoke --alerts stdout:json`.
"""

from __future__ import annotations

import sample_ways as ways

ACCOUNT, REGION = "111122223333", "eu-west-1"

CHANNELS = """\
# Channels of the company that the sample events come from. Nothing is sent to them with `trailhound notify --print`.
channels:
  security:
    slack: {webhook: ssm:/trailhound/slack-webhook}
  payments:
    teams: {webhook: ssm:/trailhound/teams}
    when: {account: '444455556666'}
  oncall:
    pagerduty: {routing_key: 'secretsmanager:trailhound/pagerduty#routing_key', region: eu}
    when: {level: [critical, high]}
  siem:
    webhook: {url: https://siem.example.com/hook, secret: ssm:/trailhound/siem-key}
"""

README = """\
## For the notifier

`notifier/channels.yaml` names channels. Alerts are made from the other samples:

```
trailhound invoke events/s3-put.json --alerts stdout:json | trailhound notify - --config events/notifier/channels.yaml --print
```

| file | what it is | what the notifier makes of it |
|---|---|---|
| `notifier/sqs.json` | SQS with raw delivery, three messages: an alarm of CloudWatch, the same when it is over, and words of a colleague | `{"batchItemFailures":[]}`; all three to `security` and `siem`, the first to `oncall` too |
| `notifier/sns.json` | an alarm straight from SNS | the alarm to `security`, `siem` and `oncall` |
"""


def alarm(state: str, time: str) -> dict:
    """What CloudWatch publishes when an alarm changes its state."""
    name = "trailhound-SilenceAlarm-EXAMPLE"
    return {
        "AlarmName": name,
        "AlarmDescription": "trailhound has got no log file for 3 hours, so it watches over nothing.",
        "AWSAccountId": ACCOUNT,
        "AlarmConfigurationUpdatedTimestamp": "2026-10-19T08:00:00.000+0000",
        "NewStateValue": state,
        "NewStateReason": "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as [Breaching].",
        "StateChangeTime": time,
        "Region": "EU (Ireland)",
        "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}",
        "OldStateValue": "OK" if state == "ALARM" else "ALARM",
        "OKActions": [],
        "AlarmActions": [],
        "InsufficientDataActions": [],
        "Trigger": {
            "MetricName": "Files",
            "Namespace": "trailhound",
            "StatisticType": "Statistic",
            "Statistic": "SUM",
            "Unit": None,
            "Dimensions": [{"value": "trailhound-Function-EXAMPLE", "name": "FunctionName"}],
            "Period": 3600,
            "EvaluationPeriods": 3,
            "ComparisonOperator": "LessThanThreshold",
            "Threshold": 1.0,
            "TreatMissingData": "breaching",
            "EvaluateLowSampleCountPercentile": "",
        },
    }


def messages() -> list:
    """Bodies of the queue."""
    begun, over = alarm("ALARM", "2026-11-05T14:00:41.207+0000"), alarm("OK", "2026-11-05T15:10:41.532+0000")
    return [begun, over, "The trail of prod is moved tonight, 20:00 to 20:30 UTC. Expect alerts about CloudTrail."]


def from_topic(message_id: str) -> dict:
    """The first of them, straight from SNS."""
    return ways.sns_event(ways.text(messages()[0]), message_id)
