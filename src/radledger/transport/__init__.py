"""HTTP exchanges that end: a deadline for all of an answer, however slowly it comes."""

from radledger.transport.deadline import Deadline, within

__all__ = ["Deadline", "within"]
