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
/** A text without case and accents. @param {string} text */
const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();

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
  for (const { grader, done, of } of question.shares)
    graders.push([make("bdi", {}, grader), `: ${done} of ${of} of the share`]);
  const second = question.second && link("button", address("second", cell), `Second marks (${question.second})`, unseen.cloneNode(true));
  const number = (label, ...content) =>
    make("td", { className: "number", "data-label": label }, ...content);
  const worth = make("span", { className: "soft" }, counted(most, "point"));
  return [
    make("th", { scope: "row" }, title, " ", worth),
    make("td", {}, make("progress", about), make("span", { className: "number" }, ` ${graded} of ${of}`)),
    make("td", { className: "graders", "data-label": "Graded by" }, ...graders.map((one) => make("div", {}, ...one))),
    make("td", { "data-label": "On it now" }, ...listedNames(question.now)),
    number("Mean", mean === null ? "–" : points(Math.round(mean * 100) / 100)),
    number("Flagged", flagged ? link("", `${address("grid", cell)}?State=flagged`, String(flagged)) : "0"),
    make("div", { className: "buttons" }, goOn, link("button", address("grid", cell), "Grid"), second || ""),
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

/** Go to the page of the student whom the field names, or list those whom it may mean. @param {Event} event */
function find(event) {
  event.preventDefault();
  const asked = folded(byId("find").value);
  if (!asked) return;
  const exact = students.filter((one) => [one.student, called(one)].map(folded).includes(asked));
  const meant = (one) => asked.split(/\s+/).every((word) => folded(called(one)).includes(word));
  const found = exact.length ? exact : students.filter(meant);
  const page = (one) => address("student", one.student);
  if (found.length === 1) return location.assign(page(found[0]));
  const more = found.length - MAX_FOUND;
  const link = (one) => make("li", {}, make("a", { href: page(one) }, called(one)));
  byId("found").replaceChildren(
    found.length ? "" : "No student has this name or id.",
    make("ul", { className: "plain" }, ...found.slice(0, MAX_FOUND).map(link)),
    more > 0 ? `and ${more} more: type more of the name.` : "",
  );
}

/** Go to a student who was chosen from the list. */
function choose(event) {
  if (students.some((one) => called(one) === byId("find").value)) find(event);
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
  byId("finding").addEventListener("submit", find);
  byId("find").addEventListener("change", choose);
  await grader();
  await show();
  setInterval(() => document.hidden || document.querySelector("dialog") || show(), PAUSE);
}

begin();
