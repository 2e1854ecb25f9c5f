// @ts-check
/** All manually graded questions of a homework, what is open, and a search for students. */

import { address, ask, gradingPage } from "./api.js";
import { byId, counted, listedNames, make, points, table } from "./dom.js";
import { grader, loaded } from "./page.js";

const PAUSE = 15_000; // milliseconds between two requests
const MAX_FOUND = 12;
/** @type {{student: string, name: string}[]} */
let students = [];
const called = ({ student, name }) => `${name} ${student}`.trim();

/** @param {any} question */
function row(question) {
  const { cell, title, max_points: most, graded, by_people: given, of, mean, flagged } = question;
  const about = { max: Math.max(of, 1), value: graded, "aria-label": `${title}: graded` };
  const link = (className, href, ...text) => make("a", { className, href }, ...text);
  const unseen = make("span", { className: "unseen" }, ` ${title}`);
  const goOn = question.waiting
    ? link("button main", `${gradingPage(cell)}?next`, given ? "Continue" : "Begin", unseen)
    : link("button", gradingPage(cell), "Look through", unseen);
  const graders = question.graders.map(([name, times]) => [make("bdi", {}, name), ` ${times}`]);
  if (graded > given) graders.push([`autograde ${graded - given}`]);
  const number = (label, ...content) =>
    make("td", { className: "number", "data-label": label }, ...content);
  const worth = make("span", { className: "soft" }, counted(most, "point"));
  return [
    make("th", { scope: "row" }, title, " ", worth),
    make("td", {}, make("progress", about), make("span", { className: "number" }, ` ${graded} of ${of}`)),
    make("td", { className: "graders", "data-label": "Graded by" }, ...graders.map((one) => make("div", {}, ...one))),
    make("td", { "data-label": "On it now" }, ...listedNames(question.now)),
    number("Mean", mean === null ? "–" : points(Math.round(mean * 100) / 100)),
    number("Flagged", flagged ? link("", `${address("grid", cell)}?flagged`, String(flagged)) : "0"),
    make("div", { className: "buttons" }, goOn, link("button", address("grid", cell), "Grid")),
  ];
}

/** @param {any[]} questions */
function showQuestions(questions) {
  const number = (text) => make("th", { scope: "col", className: "number" }, text);
  const who = ["Graded by", "On it now"];
  const heads = ["Question", "Graded", ...who, number("Mean"), number("Flagged"), "Do"];
  const none = make("p", {}, "No question of this homework is graded by hand.");
  // Keep the focus, because the page reloads while somebody uses it.
  const focus = [...byId("questions").querySelectorAll("a, button")].indexOf(
    document.activeElement,
  );
  byId("questions").replaceChildren(questions.length ? table(heads, questions.map(row)) : none);
  if (focus >= 0) byId("questions").querySelectorAll("a, button")[focus]?.focus();
  byId("questions").removeAttribute("aria-busy");
}

/** Show what is open before grades go out. @param {any[]} open */
function showOpen(open) {
  const item = ({ what, who, command }) =>
    make(
      "li",
      {},
      `${what} (${who.length}): `,
      make("bdi", {}, who.slice(0, MAX_FOUND).join(", ")),
      who.length > MAX_FOUND ? ` and ${who.length - MAX_FOUND} more` : "",
      make("br"),
      make("code", {}, command),
    );
  const list = make("ol", { className: "plain" }, ...open.map(item));
  byId("open").replaceChildren(open.length ? list : make("p", {}, "Nothing is open."));
}

/** Go to the page of the student whom the field names, as one of its options. */
function find() {
  const found = students.find((one) => called(one) === byId("find").value.trim());
  if (found) location.assign(address("student", found.student));
}

async function load() {
  const data = await ask(["overview"]);
  students = data.students ?? [];
  const options = students.map((one) => make("option", { value: called(one) }));
  byId("students").replaceChildren(...options);
  showQuestions(data.questions);
  showOpen(data.open);
  const { read = 0, of = 0 } = data.reading ?? {};
  byId("reading").textContent = read < of ? `${read} of ${of} notebooks are read.` : "";
  if (read < of) setTimeout(show, 2_000);
}

const show = () => loaded("The overview", load);

async function begin() {
  byId("find").addEventListener("change", find);
  await grader();
  await show();
  setInterval(() => document.hidden || document.querySelector("dialog") || show(), PAUSE);
}

begin();
