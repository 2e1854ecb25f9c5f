"""Formulas become MathML, whatever TeX a student writes."""

import os
import re
import select
import signal
import threading
import time

import pytest
from html_pages import MATHML, Page, assert_harmless_with_formulas, context
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_grading.rendering import helper, mathematics
from hw_grading.rendering.aside import Formulas
from hw_grading.rendering.helper import NoAnswer
from hw_grading.rendering.mathematics import LONGEST_TEX, Budget, Formula, Typesetter
from hw_grading.rendering.safe_html import markdown2html, render_markdown

ANNOTATION = re.compile(r"<annotation[^>]*>.*?</annotation>")


def mathml(tex, display=True):
    """The visible part of a formula."""
    return ANNOTATION.sub("", Formula(tex, f"${tex}$", display).as_html(Budget()))


def is_tex(html):
    return "<math" not in html and "<code>" in html


def formulas_of(markdown, **named):
    """Return the TeX of all formulas that became MathML, in order."""
    html = assert_harmless_with_formulas(render_markdown(markdown, **named)).html
    found = re.findall(r"<annotation[^>]*>(.*?)</annotation>", html, re.DOTALL)
    return [tex.replace("&lt;", "<").replace("&amp;", "&") for tex in found]


# -- what is a formula


@pytest.mark.parametrize(
    ("markdown", "formulas"),
    [
        ("a $x_1$ b $y$", ["x_1", "y"]),
        ("$$x$$", ["x"]),
        ("\\\\(x\\\\) and \\\\[y\\\\]", ["x", "y"]),
        ("a\n\\begin{align}\na &< b\n\\end{align}", ["\\begin{align}\na &< b\n\\end{align}"]),
        ("$a*b*c$ and *d*", ["a*b*c"]),
        ("# The $x$\n\n- $y$\n\n| a |\n|-|\n| $z$ |\n\n> $w$", ["x", "y", "z", "w"]),
        ("<details><summary>$x$</summary>\n\n$y$\n\n</details>", ["x", "y"]),
        ("<table><tr><td>$a &lt; b$</td></tr></table>", ["a < b"]),
        ("It costs $5 and $6.", ["5 and"]),  # as in Jupyter
        ("It costs \\$5 and \\$6.", []),
        ("It costs $5.", []),
        ("`$x$` and ``$y$``", []),
        ("```\n$x$\n```\n\n    $y$", []),
        ("<pre>$x$</pre>\n<div><code>$y$</code></div>", []),
        ("$x", []),
        ("$$x$", []),
        ("$$x\n\n\n", []),
        ("\\begin{align} x", []),
        ("\\begin{align} x \\end{aligned}", []),
        ("$$", []),
        ("$$$$", []),
        ("$\n$", []),
    ],
)
def test_formulas_are_found_as_jupyter_finds_them(markdown, formulas):
    assert formulas_of(markdown) == formulas


def test_a_formula_on_its_own_line_is_displayed_and_one_in_a_line_is_not():
    assert '<math display="block">' in render_markdown("$$x$$")
    assert '<math display="block">' in render_markdown("\\begin{align}x\\end{align}")
    assert "<math>" in render_markdown("a $x$")


@pytest.mark.parametrize("tex", ["\\frac", "{", "\\begin{x}y\\end{x}", "a & b", "x^2^2", "\0"])
def test_a_formula_that_katex_refuses_is_shown_as_tex(tex):
    html = render_markdown(f"before $${tex}$$ *after*")
    text = "".join(Page(html).text).strip()
    assert is_tex(html)
    assert "<em>after</em>" in html
    assert text == f"before $${tex}$$ after".replace("\0", "\ufffd")


def test_an_unknown_command_is_shown_and_the_rest_is_typeset():
    assert "<mtext>\\foo</mtext>" in mathml("\\foo{x} + \\frac{a}{b}")
    assert "<mfrac>" in mathml("\\foo{x} + \\frac{a}{b}")


def test_a_formula_in_an_attribute_is_words():
    page = Page(render_markdown('# The $x_1 < "2"$\n\n![plot of $x^2$](data:,)'))
    assert page.ids == ["answer-The--x-1-2-"]
    assert page.links == ["#answer-The--x-1-2-"]
    assert 'alt="plot of $x^2$"' in page.html


def test_a_formula_makes_no_forbidden_address():
    html = (
        '<p><a href="http://localhost/$form$grader/x">a</a> <a href="$javascript$:run()">b</a></p>'
    )
    page = assert_harmless_with_formulas(render_markdown(html))
    assert page.links == ["http://localhost/-form-grader/x"]


def test_the_name_that_stands_for_a_formula_cannot_be_written_beforehand():
    first = render_markdown("$x$ formula0e n0e")
    assert first.count("<math") == 1
    names = {mathematics_name() for _ in range(20)}
    assert len(names) == 20


def mathematics_name():
    return Formulas(Budget()).put_aside(Formula("x", "$x$", False))


# -- what comes out


def test_letters_of_other_alphabets_are_characters_of_their_own():
    assert "<mi>ℝ</mi>" in mathml("\\mathbb{R}")
    assert "<mi>𝐱</mi>" in mathml("\\mathbf{x}")
    assert "<mn>𝟐</mn>" in mathml("\\mathbf{2}")
    assert "<mi>ℬ</mi>" in mathml("\\mathcal{B}")
    assert "<mi>𝜶</mi>" in mathml("\\boldsymbol{\\alpha}")
    assert '<mi mathvariant="normal">d</mi>' in mathml("\\mathrm{d}")


def test_columns_of_equations_meet_at_their_signs():
    table = mathml("\\begin{align}a&=b\\\\cc&=dd\\end{align}")
    assert '<mtable class="close">' in table
    assert re.findall(r'<mtd class="(\w+)">', table) == ["right", "left"] * 2
    assert "<mtd>" not in table


def test_a_sign_before_a_number_is_told_from_one_between_two():
    assert mathml("-1, (-2), a = -3, a - b, (a) - b, |a| - b, x_1 - y").count('form="prefix"') == 3


@pytest.mark.parametrize(
    ("tex", "spaced"),
    [
        ("-y\\ln g", "−y ln g"),
        ("2\\ln 2", "2 ln 2"),
        ("\\ln(1-g)", "ln(1−g)"),
        ("(1-y)\\ln(1-g)", "(1−y) ln(1−g)"),
        ("-\\ln x+\\ln y", "−ln x+ln y"),
        ("\\ln\\ln x", "ln ln x"),
        ("\\sin^2x\\cos x", "sin2 x cos x"),
        ("\\max_{i}a", "maxi a"),
        ("\\frac{\\ln x}{2}", "ln x2"),
        ("\\operatorname{argmax}x", "argmax x"),
        ("\\ln", "ln"),
    ],
)
def test_the_name_of_a_function_is_apart_from_its_neighbours(tex, spaced):
    """Browsers leave no space there: y ln g would be read as one word."""
    html = mathml(tex, display=False).replace('<mspace width="0.1667em"></mspace>', " ")
    assert re.sub(r"<[^>]*>|\N{FUNCTION APPLICATION}", "", html) == spaced


def test_cells_that_are_empty_keep_their_place():
    assert mathml("\\begin{matrix}&1\\\\2&\\end{matrix}").count("<mtd") == 4


def test_the_content_of_an_operator_is_kept():
    html = mathml("a \\mathrel{\\vcenter{:}}= b")
    assert ":</mo>" in html
    assert "<mo><" not in html


def test_a_long_formula_can_be_scrolled_by_keyboard():
    assert 'class="formula"><math' in mathml("x")
    assert 'class="formula" tabindex="0"><math' in mathml("x + y + " * 20 + "z")


ACTIVE = [
    r"\href{javascript:run()}{x}",
    r"\href{https://evil.example}{x}",
    r"\url{javascript:run()}",
    r"\includegraphics{https://evil.example/x.png}",
    r"\htmlClass{modal}{x}",
    r"\htmlId{q1_3a}{x}",
    r"\htmlStyle{position: fixed}{x}",
    r"\htmlData{a=b}{x}",
    r"\class{modal}{x} \cssId{q1}{x} \style{a}{x} \bbox[red]{x} \unicode{65} \require{HTML}",
    r"\mmlToken{mi}[href='javascript:run()']{x}",
    r"\let\frac\href \frac{javascript:run()}{x}",
    r"\def\f{\href}\f{javascript:run()}{x}",
    r"\text{<script>run()</script>} \text{<img src=x onerror=run()>}",
    r"</annotation></semantics></math><script>run()</script>",
    r"\text{&lt;script&gt; &quot; onload=run()}",
    r"\color{red;background:url(//evil.example)}x",
    r"\colorbox{#fff\" onload=\"run()}{x}",
    r"\verb|<script>run()</script>|",
    r"\tag{<script>} x",
    r"\operatorname{<img/src=x/onerror=run()>}",
    r"\begin{matrix}<style>&</style>\end{matrix}",
    r"\mathrel{<iframe>} \mathop{\text{<p>}} \mathbin{x<b>y}",
    r"\char`\< \char60 \symbol{60}script\char62",
    r"\@firstoftwo{\htmlId{a}{b}}{c} \html@mathml{<b>}{<i>}",
    r"\fbox{\text{$\href{javascript:run()}{x}$}}",
    "\\text{\u202e\u2066\ufffe\ufeff\u0085}",
    "x\u0300" * 300,
    "🙂\U000e0001\U0010ffff",
]


@pytest.mark.parametrize("tex", ACTIVE)
def test_tex_that_acts_on_a_page_does_not(tex):
    assert_harmless_with_formulas(mathml(tex))
    page = assert_harmless_with_formulas(markdown2html(context(), f"a ${tex}$ b\n\n$${tex}$$\n\nc"))
    assert not page.links
    assert not page.sources
    assert not page.ids


PIECES = """{ } $ $$ & \\ < > " ' ^ _ | ` # ![ ]( x <p> </p> <code> &lt; \\frac \\text{ \\left(
    \\right) \\tag{ \\\\ \\begin{align} \\end{align}""".split()  # noqa: SIM905
PIECES = st.sampled_from([*ACTIVE, *PIECES, " ", "\n"])


@given(st.lists(PIECES, max_size=12).map("".join))
@settings(max_examples=300)
def test_any_mixture_of_hostile_tex_comes_out_harmless(tex):
    assert_harmless_with_formulas(render_markdown(tex))
    assert_harmless_with_formulas(mathml(tex))


@pytest.mark.parametrize(
    "answer",
    [
        '<math href="javascript:run()"><mi>x</mi></math>',
        '<math><mi href="x" onclick="run()" style="a" id="b" class="modal">x</mi></math>',
        '<math xlink:href="x"><mi xlink:href="javascript:run()">x</mi></math>',
        "<math><script>run()</script><mi>x</mi></math>",
        '<math><annotation-xml encoding="text/html"><b>x</b></annotation-xml></math>',
        '<math><maction actiontype="statusline"><mi>x</mi></maction><mglyph src="x"/></math>',
        "<math><mtext><table><mglyph><style>x</style></mglyph></table></mtext></math>",
        '<math><mspace width="999999em"/><mspace width="-3em"/><mo mathcolor="url(x)"/></math>',
        '<math><svg xmlns="http://www.w3.org/2000/svg"><script>run()</script></svg></math>',
        '<math><b xmlns="http://www.w3.org/1999/xhtml">x</b><mi>&lt;script></mi></math>',
    ],
)
def test_any_answer_of_katex_is_filtered_by_the_allow_list(answer, monkeypatch):
    space = answer.replace(
        "<math", '<math xmlns="http://www.w3.org/1998/Math/MathML" xmlns:xlink="x"', 1
    )
    wrapped = f'<span class="katex">{space}</span>'
    monkeypatch.setattr(Typesetter, "set", lambda *_, **__: wrapped)
    mathematics._mathml.cache_clear()
    html = mathml("x")
    mathematics._mathml.cache_clear()
    page = assert_harmless_with_formulas(html)
    assert set(page.tags) <= MATHML | {"span"}
    assert "run()" not in html
    assert "modal" not in html
    assert not re.search(r'width="[-9]', html)


@pytest.mark.parametrize(
    "answer",
    ["", "x", "<math>", "<span>x</span>", '<span class="katex-error">x</span>', "<!DOCTYPE x>"],
)
def test_an_answer_that_is_not_a_formula_is_dropped(answer, monkeypatch):
    monkeypatch.setattr(Typesetter, "set", lambda *_, **__: answer)
    mathematics._mathml.cache_clear()
    assert is_tex(mathml("x"))
    mathematics._mathml.cache_clear()


@pytest.mark.parametrize(
    "tex",
    [
        r"\kern{-9em}\text{Full marks}",
        r"\hspace{-9em}x",
        r"\mkern-99mu x",
        r"\llap{\text{Full marks}}",
        r"\rlap{\text{Full marks}}",
        r"\smash{\text{Full marks}}",
        r"\raisebox{-9em}{Full marks}",
        r"\raisebox{9em}{Full marks}",
    ],
)
def test_a_formula_covers_nothing_beside_it(tex):
    html = mathml(tex)
    assert 'width="-' not in html
    assert 'space="-' not in html
    assert "voffset" not in html
    assert "<mpadded " not in html


def test_an_invisible_space_keeps_its_size():
    assert '<mpadded width="0px"><mphantom>' in mathml(r"\vphantom{\frac{a}{b}}")


def test_nested_sizes_do_not_multiply():
    assert mathml("\\Huge " + "{\\Huge " * 20 + "x" + "}" * 20).count("mathsize") == 1


@pytest.mark.parametrize("tex", [r"\rule{9999em}{9999em}", r"\hspace{9999em}x", r"x\\[9999em]y"])
def test_lengths_are_limited(tex):
    assert not re.search(r"[0-9]{3,}em", mathml(tex))


# -- too much


BOMBS = {
    "macro that calls itself": r"\def\a{\a\a}\a",
    "macros that double": "".join(
        rf"\def\{b}{{\{a}\{a}}}" for a, b in zip("abcdefghij", "bcdefghijk", strict=True)
    )
    + r"\k",
    "macro that is long": r"\def\a{" + "x" * 1_000 + "}" + r"\a" * 199,
    "braces": "{" * 900 + "x" + "}" * 900,
    "roots": r"\sqrt{" * 250 + "x" + "}" * 250,
    "powers": "x^{" * 400 + "y" + "}" * 400,
    "brackets": r"\left(" * 150 + r"\right)" * 150,
    "columns": r"\begin{matrix}" + "&" * 1_900 + r"\end{matrix}",
    "rows": r"\begin{matrix}" + r"\\" * 900 + r"\end{matrix}",
    "long": "x" * (LONGEST_TEX + 1),
    "very long": "x" * 1_000_000,
    "open braces": "{" * LONGEST_TEX,
}


@pytest.mark.parametrize("tex", BOMBS.values(), ids=BOMBS)
def test_a_formula_bomb_is_ended_and_the_next_formula_is_typeset(tex):
    html = mathml(tex)
    assert len(html) < 60_000 or is_tex(html)
    assert Page(html).tags["mrow"] < 5_000
    assert "<mfrac>" in mathml(r"\frac{1}{2}")


def test_a_formula_is_nested_no_deeper_than_browsers_take():
    def depth(html):
        deepest = now = 0
        for end in re.findall(r"<(/?)", html):
            now += -1 if end else 1
            deepest = max(deepest, now)
        return deepest

    assert depth(mathml("{" * 30 + "x" + "}" * 30)) < 110
    assert is_tex(mathml("x^{" * 200 + "y" + "}" * 200))


def test_a_page_sets_so_many_formulas_and_shows_the_others_as_tex():
    budget = Budget(formulas=3)
    assert len(formulas_of("$a$ $b$", budget=budget)) == 2
    html = render_markdown("$c$ $d$ $e$", budget=budget)
    assert html.count("<math") == 1
    assert html.count("<code>") == 2


def test_formulas_of_a_page_take_a_bounded_time_and_room():
    assert is_tex(Formula("x", "$x$", False).as_html(Budget(seconds=0)))
    assert is_tex(Formula("x", "$x$", False).as_html(Budget(characters=50)))
    budget = Budget()
    Formula("x + 17.25", "", False).as_html(budget)
    assert budget.seconds < Budget.seconds
    assert budget.characters < Budget.characters


def test_cells_of_one_page_share_what_it_may_use():
    resources = {}
    for _ in range(3):
        markdown2html({"resources": resources, "cell": {}}, "$x$ $y$")
    (budget,) = [kept for kept in resources.values() if isinstance(kept, Budget)]
    assert budget.formulas == Budget.formulas - 6


@pytest.mark.parametrize(
    "text",
    ["$" * 20_000_000, "$x$ " * 5_000_000, "$$" * 9_000, "\\\\(" * 6_000, "<p>" + "$" * 19_000],
    ids=lambda text: f"{text[:4]}-{len(text)}",
)
@pytest.mark.usefixtures("no_gc_callbacks")
def test_very_many_dollar_signs_are_shown(text):
    start = time.process_time()
    html = render_markdown(text)
    assert time.process_time() - start < 60  # seconds of computing: a few here
    assert "<math" not in html
    assert len(html) < 1_000_000


def test_as_many_formulas_as_an_answer_holds_are_shown():
    text = " ".join(f"${n}$" for n in range(3_000))
    html = render_markdown(text, budget=Budget(seconds=1e9))
    assert html.count("<math") == Budget.formulas
    assert html.count("<code>$") == 3_000 - Budget.formulas


# -- KaTeX's process


@pytest.fixture
def katex():
    made = Typesetter()
    yield made
    made.close()


def test_katex_starts_on_demand_and_again_after_it_died(katex):
    assert katex._process is None
    assert "<mi>x</mi>" in katex.set("x", display=False)
    first = katex._process
    assert katex.set("y", display=False)
    assert katex._process is first
    first.kill()
    assert "<mi>z</mi>" in katex.set("z", display=False)
    assert katex._process is not first


def test_katex_allows_no_links_and_limits_macros(katex):
    assert "href=" not in katex.set(r"\href{javascript:run()}{x}", display=False)
    assert "katex-error" in katex.set(r"\def\a{\a\a}\a", display=False)


def test_threads_get_their_own_answers(katex):
    wrong = []

    def ask(number):
        for n in range(30):
            if f"<mn>{number}{n}</mn>" not in katex.set(f"{number}{n}", display=False):
                wrong.append((number, n))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_fork_has_a_process_of_its_own(katex):
    assert katex.set("x", display=False)
    mine = katex._process.pid
    reader, writer = os.pipe()
    held, let_go = threading.Event(), threading.Event()

    def hold():
        with katex._lock:
            held.set()
            let_go.wait()

    asking = threading.Thread(target=hold)  # the thread does not exist in the fork
    asking.start()
    held.wait()
    child = os.fork()
    if child == 0:
        try:
            right = "<mi>y</mi>" in katex.set("y", display=False) and katex._process.pid != mine
            os.write(writer, b"right" if right else b"wrong")
            katex.close()
        finally:
            os._exit(0)
    let_go.set()
    asking.join()
    os.close(writer)
    if not select.select([reader], [], [], 60)[0]:
        os.kill(child, signal.SIGKILL)
    assert os.read(reader, 9) == b"right"
    os.close(reader)
    os.waitpid(child, 0)
    assert "<mi>z</mi>" in katex.set("z", display=False)
    assert katex._process.pid == mine


def test_a_process_that_does_not_answer_is_ended(katex, monkeypatch):
    katex.start()
    silent = katex._process
    monkeypatch.setattr(helper, "_write", lambda *_: None)
    monkeypatch.setattr(mathematics, "_SECONDS", 0.0)
    monkeypatch.setattr(mathematics, "_PATIENCE", 0.1)
    with pytest.raises(NoAnswer):
        katex.set("x", display=False)
    assert silent.poll() is not None
    monkeypatch.undo()
    assert katex.set("x", display=False)


def test_a_too_large_formula_gets_no_answer_and_the_next_one_does(katex):
    with pytest.raises(NoAnswer):
        katex.set(r"\def\a{" + "x" * 50_000 + "}" + r"\a" * 199, display=True)
    assert katex.set("x", display=False)


def test_where_katex_cannot_run_formulas_are_shown_as_tex_and_it_is_not_tried_again(
    monkeypatch, tmp_path
):
    program = tmp_path / "no-python"
    program.write_text("#!/bin/sh\necho x >> started\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(helper.sys, "executable", str(program))
    monkeypatch.setattr(mathematics, "_typesetter", Typesetter())
    assert is_tex(Formula("never set before", "$x$", False).as_html(Budget()))
    assert is_tex(Formula("nor this one", "$x$", False).as_html(Budget()))
    assert (tmp_path / "started").read_text() == "x\n"
