"""Make the PDF that is handed in from a finished notebook, with pandoc and typst.

Both come as wheels from PyPI, so neither LaTeX nor a browser is needed. Pandoc reads the text
cells, and writes them and their TeX as typst; typst sets the pages. What either of them rejects is
shown as text, and a warning names the cell; nothing is left out without a word.

For whoever reads the pages: answers have a blue line at their left, and the instructor's test cells
stand in small type. They are not left out, since a student may have written in one; but scores are
the autograder's, and what counts here is what the tests printed.

A notebook is data. Its text reaches typst in string literals only; typst sees one temporary folder,
with the pictures in it, and pandoc no files but the texts; nothing is fetched.
"""

from hw_support.desk.pdf.finished import gaps
from hw_support.desk.pdf.typeset import PdfError
from hw_support.desk.pdf.writing import write_pdf

__all__ = ["PdfError", "gaps", "write_pdf"]
