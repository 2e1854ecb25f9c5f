// @ts-check
/** The points of a student's tests, and a form that changes them for this student. */

import { CELL, ask, readingPage } from "./api.js";
import { button, make, points, say, scrolling, table } from "./dom.js";
import { number, numbersOnly } from "./editor.js";

/**
 * @param {string} student @param {any[]} tests
 * @param {() => Promise<any>} show shows the student's points again
 */
export function testsCard(student, tests, show) {
  /** Send a correction or its undoing. @param {string[]} where @param {object} body */
  const send = async (where, body) => {
    try {
      await ask(["correct", ...where], body);
      await show();
      return true;
    } catch (error) {
      say(`Not saved: ${error.message}`);
      return false;
    }
  };
  const named = ({ title, answers }) =>
    answers.length && !CELL ? make("a", { href: readingPage(answers.at(-1), student) }, title) : title;
  const rows = tests.map((one) => [
    make("th", { scope: "row" }, named(one)),
    `${points(one.points)} of ${points(one.max_points)}${one.points === one.given ? "" : ` (${points(one.given)} by the test)`}`,
    one.correction
      ? make(
          "div",
          {},
          make("strong", {}, `Changed by ${one.correction.author}: `),
          `${one.correction.reason} `,
          button(one.correction.kind === "group" ? "Undo for all alike" : "Undo", () => send([one.cell, "undo"], { correction: one.correction.key })),
        )
      : "",
  ]);
  const field = (id, label, element) => [make("label", { htmlFor: id }, label), element];
  const now = () => points(tests.find(({ cell }) => cell === test.value)?.points);
  const test = make(
    "select",
    { id: "test", onchange: () => (to.value = now()) },
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
  to.value = now();
  const reason = make("input", { id: "reason", size: 40, required: true, maxLength: 2000 });
  const change = async (event) => {
    event.preventDefault();
    const wanted = number(to.value);
    if (!Number.isFinite(wanted)) return to.focus();
    const saved = await send([test.value], { student, points: wanted, reason: reason.value });
    if (saved) say("The points are changed. The student reads the reason in the feedback.");
  };
  const by = (step) => () => (to.value = points((number(to.value) || 0) + step));
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
      button("−", by(-0.5), { "aria-label": "Half a point less" }),
      button("+", by(0.5), { "aria-label": "Half a point more" }),
      ...field("reason", "because (students read this)", reason),
      make("button", {}, "Change"),
    ),
  );
}
