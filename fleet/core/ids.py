"""The names by which fleet speaks of things; all are plain strings underneath."""

from typing import NewType

TaskId = NewType("TaskId", str)
RepoId = NewType("RepoId", str)
Commit = NewType("Commit", str)
