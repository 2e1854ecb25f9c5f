"""What stands in nbconvert's pages in the place of MathJax, which they load from the internet.

nbconvert's and nbgrader's templates call the macro of ``mathjax.html.j2`` in the head of a page.
Formulas are MathML already (`hw_grading.pages.mathematics`), so a few rules of style are enough.
"""

from hw_grading.pages import FORMULAS

TEMPLATE = "mathjax.html.j2"


def template(script: str = "") -> str:
    """Return the template, with a script if the page needs one."""
    style = FORMULAS.read_text(encoding="utf-8")
    return f"""{{%- macro mathjax(url="") -%}}
<style>
{{%- raw %}}
{style}{{% endraw -%}}
</style>
{script}{{%- endmacro -%}}"""
