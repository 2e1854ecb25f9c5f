"""The grader's own faults, which are never a student's zero."""


class GraderFault(RuntimeError):
    """Grading failed for a reason that is not in the submission: it is left without a score."""


class HelperEnded(GraderFault):
    """A process that grading needs has ended: who tries again gets another one."""
