// @ts-check
/** All answers of one student with their history, and the points of tests: for a regrade request. */

import { ask, gradingPage } from "./api.js";
import { why } from "./content.js";
import { button, byId, enlargePictures, history, make, points, say, scrolling, showCleanedHtml, table } from "./dom.js";
import { number, numbersOnly } from "./editor.js";
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
    ),
    ...notes.map((note) => make("p", { className: "alarm" }, note)),
    given,
    make("details", {}, make("summary", {}, "Answer"), content),
    events.length
      ? make(
          "details",
          { open: true },
          make("summary", {}, `History (${events.length})`),
          history(`History of ${title}`, events),
        )
      : make("p", { className: "soft" }, "Nobody has graded this answer on the desk."),
  );
}

/** Send a correction or its undoing, and show the student again. @param {string[]} where @param {object} body */
async function send(where, body) {
  try {
    await ask(["correct", ...where], body);
    await show();
    return true;
  } catch (error) {
    say(`Not saved: ${error.message}`);
    return false;
  }
}

/** The points of the tests, and a form that changes them for this student. @param {any[]} tests */
function testsCard(tests) {
  const rows = tests.map(({ cell, title, points: now, given, max_points: most, correction }) => [
    make("th", { scope: "row" }, title),
    `${points(now)} of ${points(most)}${now === given ? "" : ` (${points(given)} by the test)`}`,
    correction
      ? make(
          "div",
          {},
          make("strong", {}, `Changed by ${correction.author}: `),
          `${correction.reason} `,
          button(correction.kind === "group" ? "Undo for all alike" : "Undo", () => send([cell, "undo"], { correction: correction.key })),
        )
      : "",
  ]);
  const field = (id, label, element) => [make("label", { htmlFor: id }, label), element];
  const test = make(
    "select",
    { id: "test" },
    ...tests.map(({ cell, title }) => make("option", { value: cell }, title)),
  );
  const to = make("input", {
    id: "to",
    size: 5,
    inputMode: "decimal",
    required: true,
    autocomplete: "off",
    onbeforeinput: numbersOnly,
  });
  const reason = make("input", { id: "reason", size: 40, required: true, maxLength: 2000 });
  const change = async (event) => {
    event.preventDefault();
    const wanted = number(to.value);
    if (!Number.isFinite(wanted)) return to.focus();
    const saved = await send([test.value], { student: STUDENT, points: wanted, reason: reason.value });
    if (saved) say("The points are changed. The student reads the reason in the feedback.");
  };
  return make(
    "section",
    { className: "card" },
    make("h2", {}, "Tests"),
    scrolling("Tests", table(["Test", "Points", "Changed"], rows)),
    make(
      "form",
      { className: "buttons", onsubmit: change },
      ...field("test", "Change the points of", test),
      ...field("to", "to", to),
      ...field("reason", "because (students read this)", reason),
      make("button", {}, "Change"),
    ),
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
  byId("answers").replaceChildren(...answers.map(card), tests.length ? testsCard(tests) : "");
  byId("answers").removeAttribute("aria-busy");
}

const show = () => loaded("The student", load);
grader().then(show);
