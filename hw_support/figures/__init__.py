"""What a figure of matplotlib shows, as facts: for graders, for `check` and for test cells.

- `facts`: what they are, and how they are read back from an output, which anybody may have written
- `taking`: takes the facts of a figure, where it is drawn
- `words`: facts in words, what is missing first, and whether conditions hold
- `hook`: notes the facts of every figure that a kernel draws

Facts come from the process in which the figure was drawn. So they are hints, and no verdicts.
"""

from .facts import Facts as Facts
from .facts import checked as checked
from .facts import facts_in as facts_in
from .hook import facts_of as facts_of
from .words import expect_facts as expect_facts
from .words import expect_figure as expect_figure
from .words import failing as failing
from .words import missing as missing
from .words import summaries as summaries
from .words import unknown as unknown
from .words import wrong as wrong
