"""Make the PDF for submission from a finished notebook, with pandoc and typst.

Both come as wheels from PyPI, so neither LaTeX nor a browser is needed. Pandoc reads the text
cells, and writes them and their TeX as typst. Typst sets the pages. Anything that one of them
rejects is shown as text, and a warning names the cell. Nothing is left out silently.

Answers have a blue line at their left, and the instructor's test cells are in small type. Test
cells are not left out, because a student may have written in one. Scores come from the autograder,
so a reader needs only the printed output of the tests.

A notebook is data. Its text reaches typst only in string literals. Typst can read one temporary
folder with the pictures. Pandoc can read only the texts. Nothing is downloaded.
"""

from hw_support.desk.pdf.finished import gaps
from hw_support.desk.pdf.typeset import PdfError
from hw_support.desk.pdf.writing import write_pdf

__all__ = ["PdfError", "gaps", "write_pdf"]
