"""Make the PDF for submission from a finished notebook, with pandoc and typst.

Pandoc reads the text cells, and writes them and their TeX as typst. Typst sets the pages. Anything
that one of them rejects is shown as text, and a warning names the cell. Test cells are in small
type. They are not left out, because a student may have written in one.

A notebook is data. Its text reaches typst only in string literals. Typst can read one temporary
folder with the pictures. Pandoc can read only the texts. Nothing is downloaded.
"""

from hw_support.desk.pdf.document import expect_writable, write_pdf
from hw_support.desk.pdf.finished import gaps
from hw_support.desk.pdf.typeset import PdfError

__all__ = ["PdfError", "expect_writable", "gaps", "write_pdf"]
