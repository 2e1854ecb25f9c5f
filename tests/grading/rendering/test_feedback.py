"""A student's feedback: the box with points, failures and comments, and the notebook below it."""

import html
import re
from contextlib import closing
from dataclasses import replace

from feedback_pages import box, comment, page_of, read, without_asking, words
from graded_course import (
    FAILED,
    PASSED,
    QUESTION,
    SCHEME,
    cell,
    course,
    error,
    notebook,
    problem,
    stream,
)
from matplotlib.figure import Figure

from hw_grading.__main__ import main
from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.model import Item, Mark, Rubric
from hw_grading.homework.course import Course
from hw_grading.lms.feedback_zip import older_pages
from hw_grading.rendering.feedback.summary import PageFacts
from hw_support.figures import facts_of
from hw_support.figures.facts import KEY

__all__ = ["course"]  # a fixture

ODD = '<b>o\'d & "ids"</b>'


class TestTheBox:
    def test_an_item_not_earned_has_what_the_plot_lacks_if_the_grader_agrees(self, course):
        """A title is not there either, but its item has its points: the grader saw one.

        The rubric's words may have changed since. Until the grades are out, items may be hidden.
        """
        scheme = "- 1: both curves. [facts: curves=2]\n- 1: right labels. [facts: labels]\n"
        scheme += "- 1: legend. [facts: legend]\n- 1: a title. [facts: title]"
        source = notebook()
        source["cells"][3]["source"] = QUESTION.replace(SCHEME, scheme)
        course.write(course.root / "source" / "hw2", source)
        axes = Figure().subplots()
        axes.plot([1, 2, 3])
        axes.plot([3, 2, 1])
        axes.set(xlabel="iteration", ylabel="mean loss")
        shown = {"output_type": "display_data", "data": {"text/plain": "<Figure>"}}
        shown["metadata"] = {KEY: facts_of(axes)}
        course.grade("ada", notebook(plot=[shown]))
        with closing(ManualGrading(Course(course.root), "hw2")) as book:
            rubric = book.rubric("plot")
            chosen = frozenset(rubric.items[n].id for n in (0, 3))
            mark = Mark(chosen, comment="See page 3.", done=True)
            version = {"ada": book.grading("plot", "ada").version}
            book.save("plot", version, mark, grader="kim", rubric_revision=rubric.revision)
            rubric = book.rubric("plot")
            items = [
                replace(item, text=item.text.replace("legend", "a legend: $p$"))
                for item in rubric.items
            ]
            book.change_rubric("plot", replace(rubric, items=tuple(items)), grader="kim")
        page = page_of(course)
        said = "What is right +1 both curves. +1 a title. What is missing or wrong 0 of 1 right "
        said += "labels. 0 of 1 a legend: p . Your plot: no legend Your grader says See page 3."
        assert said in box(page)
        assert words(page).count(said) == 2  # also at the answer
        assert re.search(r'<span class="formula"><math.*</math>\.</span>', page)
        hidden = "c = get_config()\nc.FeedbackPage.hide_items = True\n"
        (course.root / "nbgrader_config.py").write_text(hidden)
        assert older_pages(Course(course.root), "hw2") == ["ada"]
        page = page_of(course, hide_items=True)
        assert "2 of 6 you gave no answer Your grader says See page 3." in box(page)
        assert words(page).count("legend") == 0
        assert older_pages(Course(course.root), "hw2") == []

    def test_has_the_points_of_each_question_and_says_which_wait(self, course):
        for student, points in (("all", 4.0), ("so-far", None), ("again", 2.5)):
            course.grade(student, notebook(), manual=points)
        with course.gradebook() as book:
            book.find_grade("plot", "hw2", "hw2", "again").needs_manual_grade = True
            book.db.commit()
        found = box(page_of(course, "all"))
        assert found.startswith("7 of 9 points 1.1a Double 3 of 3 1.2 Plots 4 of 6")
        assert "i. A plot 4 of 6" not in found  # the only part, so its name is not shown
        assert "you gave no answer" in found
        found = box(read(course, "so-far"))
        assert "3 of 9 points so far" in found
        assert "4 points are not graded yet: a person still has to grade these answers." in found
        assert "0 of 6, 4 not graded yet" in found
        found = box(read(course, "again"))
        assert found.startswith("5.5 of 9 points A person will look at some of your answers again.")
        assert "1.2 Plots 2.5 of 6" in found

    def test_has_failed_parts_with_points_and_a_link_to_the_test(self, course):
        course.grade("ada", notebook(), auto=1.0, parts=[PASSED, FAILED])
        page = page_of(course)
        assert "1.1a Double 1 of 3 −2 values at 1: out: expected 2, got 3" in box(page)
        link = re.search(r'<a href="#(cell-\d+)">values at 1: out', page)[1]
        there = page[page.index(f'id="{link}"') :]
        assert words(there).partition("Code of this test")[0].endswith("1 of 3 to the top ")

    def test_has_errors_of_own_cells_below_their_question(self, course):
        content = notebook()
        own = cell("code", "x", outputs=[error("NameError", "name 'x' is not defined")])
        content["cells"].insert(2, own)
        course.grade("ada", content)
        assert "1.1a Double 3 of 3 NameError: name 'x' is not defined 1.2" in box(page_of(course))

    def test_has_no_error_of_a_check_of_the_homework_that_is_not_graded(self, course):
        content = notebook()
        check = cell("code", "check()", outputs=[error("NameError", "name 'x' is not defined")])
        content["cells"].insert(2, check)
        course.grade("ada", content)
        course.write(course.root / "source" / "hw2", content)
        page = page_of(course)
        assert "1.1a Double 3 of 3 1.2" in box(page)
        assert "name 'x' is not defined" in words(page)

    def test_has_items_and_comments_of_graders_as_they_were_typed(self, course):
        course.grade("ada", notebook(), manual=1.5)
        text = "Use a*b*c when x<y and y>z; list<int>\ncosts $5 and $6\n# big\n- one"
        comment(course, "plot", f"+2  labels **both** axes\n-0.5  `_no_<b>` for $x<y$\n\n{text}")
        page = page_of(course)
        said = "What is right +2 labels **both** axes What is missing or wrong −0.5 _no_<b> for "
        assert said in box(page)
        assert " ".join(text.split()) in box(page)
        assert page.count("<code>_no_&lt;b&gt;</code>") == 2  # in the box, and below the answer
        assert page.count("<math") == 2


class TestFailuresAndNotes:
    def test_a_failed_submission_says_why_at_the_top(self, course):
        why = "The rest of the notebook was not run: the kernel died. Its tests score 0."
        noted = [problem(why, kind="kernel")]
        course.grade("ada", notebook(problems=noted), auto=0.0)
        found = box(page_of(course))
        assert f"so far Your notebook could not be graded completely. {why} 1.1a Double" in found

    def test_notes_for_staff_are_left_out(self, course):
        left = [
            problem("The file 'submission_secret.txt' was ignored.", "mended", "folder"),
            problem("Cell 'double' has the tag 'skip-execution'.", "mended", "metadata"),
            problem("The metadata of cell 'double' was edited.", "mended", "metadata"),
        ]
        content = notebook(problems=left)
        notes = "### Notes from the grader\n\n<ul><li>The file 'submission_secret.txt'</li></ul>"
        content["cells"].insert(0, cell("markdown", notes))
        course.grade("ada", content)
        page = page_of(course)
        for word in ("_secret", "was ignored", "skip-execution", "metadata", "Notes from"):
            assert word not in page
        assert len(course.result("ada").run.problems) == 3  # staff see them


class TestTheNotebook:
    def test_long_texts_of_the_instructor_are_folded(self, course):
        long = "## Part 1\n\n" + "Read this. " * 60
        short = "### 1.1a Double (3 points)\n\nWrite it."
        content = notebook(answer="My words. " * 60)
        content["cells"][:1] = [cell("markdown", long), cell("markdown", short)]
        course.write(course.root / "source" / "hw2", content)
        course.grade("ada", content, manual=1.0)
        page = page_of(course)
        assert re.search(r"<details class=\"text\"><summary><h2[^>]*>Part 1</h2>", page)
        short = r'<div class="text"><h3>1\.1a Double \(3 points\)</h3>\s*<p>Write'
        assert re.search(short, page)
        assert re.search(r'<div class="text"><p>My words', page)

    def test_mark_schemes_hidden_tests_and_tracebacks_stay_out(self, course):
        content = notebook(test=[error("AssertionError", "expected 42")])
        content["cells"][2]["source"] = (
            "shown()\n### BEGIN HIDDEN TESTS\nhidden_call()\n### END HIDDEN TESTS"
        )
        content["cells"][2]["outputs"][0]["traceback"] = ["hidden_call()", "expected 42"]
        course.grade("ada", content, auto=0.0)
        page = page_of(course)
        for word in ("hidden_call", "expected 42", "have labels", "MARK SCHEME"):
            assert word not in page
        assert "AssertionError" in box(page)

    def test_nothing_runs_or_loads_and_no_stock_text_is_left(self, course):
        course.grade("ada", notebook(plot=[stream("x")]), manual=1.0)
        page = without_asking(page_of(course))
        for word in ("Test cell", "Written response", "MathJax", "<script", "<link", "//"):
            assert word not in page
        assert len(page) < 25_000  # without the student's own words


class TestBadInput:
    def test_hostile_comments_ids_and_questions_come_out_as_text(self, course):
        hostile = "<script>run()</script><img src=x onerror=run()>"
        own = cell("code", "1", ODD, solution=True, outputs=[error(hostile, hostile)])
        content = notebook(answer=hostile, problems=[problem(hostile)])
        content["cells"].insert(3, own)
        course.grade("ada", content, manual=1.0)
        comment(course, "plot", f"+1  {hostile}\n\n{hostile}")
        correct = ["correct", "hw2", "plot", "--add", "1", "--reason", hostile]
        assert main(["--course", str(course.root), *correct]) == 0
        page = without_asking(page_of(course))
        assert "<script" not in page
        assert "onerror" not in re.sub(r"&lt;.*?&gt;", "", page)
        assert "<b>o'd" not in page

    def test_an_odd_folder_gets_its_page_or_is_named(self, course, caplog):
        for student in ("?da", "ada", "O'Neil & <b>"):
            course.grade(student, notebook())
        assert "<bdi>O'Neil & <b></bdi>" in html.unescape(page_of(course, "O'Neil & <b>"))
        assert "<bdi>ada</bdi>" in read(course, "ada")
        said = [r.message for r in caplog.records if r.levelname in ("ERROR", "WARNING")]
        (only,) = said  # as a pattern, the name would match the folder of "ada"
        assert re.match(r"NO FEEDBACK: '.*/\?da/hw2': rename the folder", only)

    def test_a_damaged_graded_notebook_gives_a_page_with_the_points(self, course):
        hidden = notebook()
        hidden["cells"][2]["source"] = "### BEGIN HIDDEN TESTS\nhidden_call()"  # without an end
        odd = '{"cells": 7, "nbformat": 4, "metadata": {}}'
        damaged = {"no-json": "{", "no-cells": odd, "no-end-of-hidden-tests": hidden}
        for student, content in damaged.items():
            course.grade(student, content, manual=2.0)
        course.grade("ada", notebook())
        assert "Your notebook" in page_of(course)
        for student in damaged:
            page = read(course, student)
            found = box(page)
            assert found.startswith("5 of 9 points Your graded notebook cannot be shown. Tell")
            assert "1.2 Plots 2 of 6" in found
            assert "Your notebook" not in page
            assert "hidden_call" not in page

    def test_a_student_without_scores_gets_a_page_that_says_so(self, course):
        course.write(course.root / "autograded" / "ada" / "hw2", notebook())
        assert box(page_of(course)).startswith("Not graded yet Nothing has a score yet.")


def test_a_comment_of_the_desk_is_read_completely():
    items = (Item("a", 1, "names\nboth"), Item("b", -0.5, "no unit"), Item("c", 0, "2  see below"))
    items += (Item("d", 1.5, "says why"),)
    mark = Mark(frozenset("abc"), adjustment=0.25, comment="Well done.\n\n+1  for style")
    remark = PageFacts(comments={"plot": Rubric(items).comment(mark, 3)}).remark("plot")
    assert [(points, text.striptags()) for points, text, _ in remark.right] == [
        ("+1", "names both"),
        ("+0.25", "adjustment"),
    ]
    assert [(points, text.striptags()) for points, text, _ in remark.wrong] == [
        ("−0.5", "no unit"),
        ("0", "2 see below"),
        ("0 of 1.5", "says why"),
    ]
    assert remark.text.striptags() == "Well done. +1 for style"
