"""The program of `hw_grading.rendering.mathematics`: KaTeX, JavaScript, in V8 (mini-racer).

It is run by its path and imports nothing of this project.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

_MEMORY = 250_000_000  # bytes for V8
_KATEX = Path(__file__).with_name("katex") / "katex.min.js"
_OPTIONS = {
    "output": "mathml",
    "trust": False,  # no links, attributes, styles, pictures
    "maxExpand": 200,  # macros
    "maxSize": 20,  # em
    "strict": "ignore",
    "throwOnError": False,
}


def _serve(seconds: float) -> None:
    """Answer each line of standard input with a text, or null if KaTeX fails."""
    from py_mini_racer import JSEvalException, JSOOMException, JSTimeoutException, MiniRacer

    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    katex = MiniRacer()
    katex.eval(_KATEX.read_text(encoding="utf-8"))
    katex.set_hard_memory_limit(_MEMORY)
    answer: Any = "ready"
    while True:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
        if not (line := sys.stdin.readline()):
            os._exit(0)
        tex, display = json.loads(line)
        options = {**_OPTIONS, "displayMode": display}
        try:
            answer = katex.call("katex.renderToString", tex, options, timeout_sec=seconds)
        except (JSTimeoutException, JSOOMException):
            answers.write("null\n")
            answers.flush()
            os._exit(0)  # its memory may be full, so the next formula gets a new process
        except JSEvalException:  # base class of the other two
            answer = None


if __name__ == "__main__":
    _serve(float(sys.argv[1]))
