"""The autograder of an assignment of Classroom 50, which ends in `hw-grading grade-file`.

It writes `result.json`, by the contract `classroom50/result/v1`. It knows no solution: the command
in `HW_GRADE` has the course. docs/grade-file.md says who may run that command.
"""

import json
import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

GRADE = os.environ.get("HW_GRADE", "sudo -n -u grader /usr/local/bin/hw-grade")
HOMEWORK = os.environ.get("HW_HOMEWORK") or os.environ["ASSIGNMENT"]
WHOLE = 100  # Scores of the contract are whole numbers: they are hundredths of points.


def main() -> None:
    """Grade `<homework>.ipynb` of the student's files; end with a failure if that cannot be."""
    with Path(f"{HOMEWORK}.ipynb").open("rb") as notebook:
        command = [*shlex.split(GRADE), HOMEWORK]
        done = subprocess.run(command, stdin=notebook, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit("The notebook was not graded, for the reason above.")
    found = json.loads(done.stdout)
    tests = [
        {
            "test-name": " ".join([question["name"], cell["title"], part["name"]]).strip(),
            "passed": part["passed"],
            "score": round(part["points"] * WHOLE),
            "max-score": round(part["most"] * WHOLE),
            "message": part["message"],
        }
        for question in found["questions"]
        for cell in question["cells"]
        for part in cell["parts"]
    ]
    names = {
        "classroom": "CLASSROOM",
        "assignment": "ASSIGNMENT",
        "owner": "OWNER",
        "submission": "SUBMISSION_TAG",
        "commit": "COMMIT_URL",
        "release": "RELEASE_URL",
    }
    result = {name: os.environ[variable] for name, variable in names.items()} | {
        "schema": "classroom50/result/v1",
        "assignment_type": os.environ.get("ASSIGNMENT_TYPE") or "individual",
        "review": os.environ.get("REVIEW_URL") or os.environ["COMMIT_URL"],
        "datetime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",  # the runner puts the commit's
        "score": sum(test["score"] for test in tests),
        "max-score": sum(test["max-score"] for test in tests),
        "tests": tests,
    }
    Path("result.json").write_text(json.dumps(result, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
