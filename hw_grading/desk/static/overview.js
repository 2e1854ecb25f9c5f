// @ts-check
/** All manually graded questions of a homework, and the students who need attention. */

import { address, ask, gradingPage } from "./api.js";
import { WAIT } from "./content.js";
import { byId, counted, make, points, table } from "./dom.js";
import { grader, showNotLoaded } from "./page.js";

const PAUSE = 15_000; // milliseconds between two requests
const MAX_FOUND = 12;
/** @type {{student: string, name: string}[]} */
let students = [];

/** @param {any} question */
function row(question) {
  const { cell, title, max_points: most, graded, by_people: given, of, mean, flagged, next } = question;
  const bar = make("progress", {
    max: Math.max(of, 1),
    value: graded,
    "aria-label": `${title}: graded`,
  });
  const flags = flagged ? make("a", { href: address("flagged") }, String(flagged)) : "0";
  const goOn =
    next === null || next === undefined
      ? make("a", { className: "button", href: gradingPage(cell) }, "Look through")
      : make(
          "a",
          { className: "button main", href: gradingPage(cell, next) },
          given ? "Continue" : "Begin",
        );
  goOn.append(make("span", { className: "unseen" }, ` ${title}`));
  const number = (label, ...content) =>
    make("td", { className: "number", "data-label": label }, ...content);
  return [
    make(
      "th",
      { scope: "row" },
      title,
      " ",
      make("span", { className: "soft" }, counted(most, "point")),
    ),
    make(
      "td",
      {},
      bar,
      make("span", { className: "number" }, ` ${graded} of ${of}`),
      graded > given ? make("div", { className: "soft" }, `by autograde: ${graded - given}`) : "",
    ),
    number("Mean", mean === null ? "–" : points(Math.round(mean * 100) / 100)),
    number("Flagged", flags),
    make(
      "div",
      { className: "buttons" },
      goOn,
      make("a", { className: "button", href: address("grid", cell) }, "Grid"),
    ),
  ];
}

/** @param {any[]} questions */
function showQuestions(questions) {
  const number = (text) => make("th", { scope: "col", className: "number" }, text);
  const heads = ["Question", "Graded", number("Mean"), number("Flagged"), "Do"];
  const none = make("p", {}, "No question of this homework is graded by hand.");
  // Keep the focus, because the page reloads while somebody uses it.
  const focus = [...byId("questions").querySelectorAll("a, button")].indexOf(
    document.activeElement,
  );
  byId("questions").replaceChildren(questions.length ? table(heads, questions.map(row)) : none);
  if (focus >= 0) byId("questions").querySelectorAll("a, button")[focus]?.focus();
  byId("questions").removeAttribute("aria-busy");
}

const studentLink = ({ student, name, has_page = true }) =>
  make(
    has_page ? "a" : "span",
    has_page ? { href: address("student", student) } : {},
    make("bdi", {}, name || student),
    name ? make("span", { className: "soft" }, ` ${student}`) : "",
  );

/** @param {any} klass */
function showClass({ students: count, waiting, failed = [], not_run = [], late = [] }) {
  const part = (title, list, text) =>
    list.length
      ? [
          make("h3", {}, `${title} (${list.length})`),
          make(
            "ul",
            { className: "plain" },
            ...list.map((one) =>
              make("li", {}, studentLink(one), make("span", {}, `: ${text(one)}`)),
            ),
          ),
        ]
      : [];
  byId("class").replaceChildren(
    make("p", {}, `${counted(count, "student")}, ${counted(waiting, "answer")} not graded yet.`),
    ...part("Submissions that failed", failed, (one) => one.reason),
    ...part("Not run yet, or to be run again", not_run, (one) => one.reason),
    not_run.length ? make("p", { className: "soft" }, WAIT) : "",
    ...part("Late", late, (one) => one.late),
  );
}

/** Return a text as people type it on any keyboard: without accents. @param {string} text */
const plain = (text) =>
  text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replaceAll("ı", "i");

function find() {
  const wanted = plain(byId("find").value.trim());
  const has = (text) => wanted.split(/\s+/).every((word) => text.includes(word));
  const found = wanted
    ? students.filter(({ student, name }) => has(plain(`${name} ${student}`)))
    : [];
  const more =
    found.length > MAX_FOUND &&
    make("li", { className: "soft" }, `and ${found.length - MAX_FOUND} more`);
  const none =
    wanted && !found.length && make("li", { className: "soft" }, "No student has this name or id.");
  byId("found").replaceChildren(
    ...found.slice(0, MAX_FOUND).map((one) => make("li", {}, studentLink(one))),
    more || none || "",
  );
}

async function load() {
  try {
    const data = await ask(["overview"]);
    students = data.students ?? [];
    showQuestions(data.questions);
    showClass(data.class);
    find();
    const { read = 0, of = 0 } = data.reading ?? {};
    byId("reading").textContent = read < of ? `${read} of ${of} notebooks are read.` : "";
    if (read < of) setTimeout(load, 2_000);
    byId("trouble").replaceChildren();
  } catch (error) {
    showNotLoaded("The overview", error, load);
  }
}

async function begin() {
  byId("find").addEventListener("input", find);
  byId("find").addEventListener("keydown", (event) => {
    if (event.key === "Enter") byId("found").querySelector("a")?.click();
  });
  await grader();
  await load();
  setInterval(() => document.hidden || document.querySelector("dialog") || load(), PAUSE);
}

begin();
