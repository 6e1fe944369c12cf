"""How careful a repository is: what each level asks for where its file says nothing else.

Written as a person would write it, so that the examples in configs/ can be held against it.
"""

LEVELS = {
    "prototype": b"""
land: auto
merge: squash
rules:
  - {name: risky, paths: "**", risk: medium}
attempts: 10
retries: 1
timeout: 30m
silence: 5m
park: 0s
""",
    "standard": b"""
land: review
merge: merge
rules:
  - {name: dependencies, paths: ["*.lock", "*-lock.json", "*-lock.yaml", go.sum], alone: true}
  - {name: data, paths: [migrations/, "*.sql"], strict: true}
attempts: 3
retries: 2
timeout: 2h
silence: 15m
""",
    "critical": b"""
land: review
merge: rebase
batch: 1
evidence: 7d
rules:
  - {name: all, paths: "**", land: review, strict: true}
  - name: sensitive
    paths: [auth/, security/, crypto/, payments/, migrations/, "*.sql"]
    approvals: 2
lines: 400
attempts: 2
retries: 1
timeout: 1h30m
silence: 10m
budget: 5
tokens: 2000000
""",
}
