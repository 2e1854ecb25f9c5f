// @ts-check
/** All answers of one student with their history, and the points of tests: for a regrade request. */

import { ask, gradingPage, readingPage } from "./api.js";
import { why } from "./content.js";
import { testsCard } from "./corrections.js";
import { byId, enlargePictures, historyOf, make, points, showCleanedHtml } from "./dom.js";
import { grader, loaded } from "./page.js";

const STUDENT = document.body.dataset.student ?? "";

/** @param {any} answer */
function card(answer) {
  const { cell, title, max_points: most, events, grading } = answer;
  const content = make("div", { className: "content" });
  showCleanedHtml(content, answer.html);
  enlargePictures(content, "Plot");
  const given = answer.given_html && make("blockquote", { className: "given content" });
  if (given) showCleanedHtml(given, answer.given_html);
  const byPeople = !grading.waits && (events.length || grading.overridden);
  const notRun = !byPeople && answer.status === "not graded" && "not run yet";
  const score =
    notRun || (grading.waits ? "not graded" : `${points(grading.score)} of ${points(most)}`);
  const notes = [
    grading.overridden && "The score was changed in formgrader.",
    grading.changed && "The student submitted again after it was graded.",
    grading.flagged && `Flagged${grading.flag_note ? `: ${grading.flag_note}` : "."}`,
  ].filter(Boolean);
  return make(
    "section",
    { className: "card" },
    make(
      "h2",
      {},
      title,
      make("span", { className: grading.waits ? "waits" : "" }, score),
      !notRun &&
        make(
          "a",
          { className: "button", href: gradingPage(cell, STUDENT) },
          grading.waits ? "Grade" : "Grade again",
        ),
      make("a", { className: "button", href: readingPage(cell, STUDENT) }, "Comment on a line"),
    ),
    ...notes.map((note) => make("p", { className: "alarm" }, note)),
    given,
    make("details", {}, make("summary", {}, "Answer"), content),
    events.length
      ? historyOf(title, events)
      : make("p", { className: "soft" }, "Nobody has graded this answer on the desk."),
  );
}

async function load() {
  byId("title").textContent = STUDENT;
  const { name, reason, late, status, answers, tests } = await ask(["student", STUDENT]);
  byId("title").textContent = name ? `${name} (${STUDENT})` : STUDENT;
  document.title = byId("title").textContent;
  const [text, kind] = why({ status, reason });
  byId("status").replaceChildren(
    reason ? make("p", { className: kind }, text) : "",
    late ? make("p", {}, `Late: ${late}`) : "",
  );
  byId("answers").replaceChildren(...answers.map(card), tests.length ? testsCard(STUDENT, tests, show) : "");
  byId("answers").removeAttribute("aria-busy");
}

const show = () => loaded("The student", load);
grader().then(show);
