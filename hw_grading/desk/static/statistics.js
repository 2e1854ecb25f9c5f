// @ts-check
/** Statistics of a question: scores, items, graders, time. */

import { ask, address } from "./api.js";
import { byId, duration, make, points, svg, withFormulas } from "./dom.js";
import { grader } from "./grader.js";
import { showNotLoaded } from "./trouble.js";

const [WIDTH, HEIGHT] = [480, 130];

/** Draw a bar for each number of points, with the number of answers. @param {[number, number][]} distribution @param {string} title */
function bars(distribution, title) {
  const most = Math.max(...distribution.map(([, count]) => count), 1);
  const step = WIDTH / Math.max(distribution.length, 6);
  const text = distribution.map(([score, count]) => `${points(score)} points: ${count}`).join(", ");
  const every = Math.ceil(distribution.length / 16); // label only as many bars as fit
  const parts = distribution.flatMap(([score, count], index) => {
    const height = (count / most) * (HEIGHT - 40);
    const [x, y] = [index * step, HEIGHT - 18 - height];
    const middle = x + step / 2;
    const label = (at, words) => svg("text", { x: middle, y: at, "text-anchor": "middle" }, words);
    return [
      svg("rect", { x: x + step * 0.1, y, width: step * 0.8, height }),
      ...(index % every ? [] : [label(HEIGHT - 4, points(score)), label(y - 4, String(count))]),
    ];
  });
  return svg(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      class: "bars",
      "aria-label": `Scores of ${title}: ${text}`,
    },
    ...parts,
  );
}

/** @param {string} caption @param {string[]} heads @param {any[][]} rows the first column names the row */
function table(caption, heads, rows) {
  const cell = (value, index) =>
    make(
      index ? "td" : "th",
      index ? { className: typeof value === "string" ? "number" : "" } : { scope: "row" },
      value,
    );
  return make(
    "div",
    { className: "scroll", tabIndex: 0, role: "region", "aria-label": caption },
    make(
      "table",
      {},
      make("caption", { className: "unseen" }, caption),
      make(
        "thead",
        {},
        make(
          "tr",
          {},
          ...heads.map((head, index) =>
            make("th", { scope: "col", className: index ? "number" : "" }, head),
          ),
        ),
      ),
      make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map(cell)))),
    ),
  );
}

/** @param {any} question */
function card(question) {
  const {
    cell,
    title,
    max_points: most,
    graded,
    by_people: given,
    of,
    mean,
    median,
    distribution,
    items,
    graders,
    seconds_median: seconds,
  } = question;
  const summary =
    `${graded} of ${of} graded` +
    (graded > given ? `, ${graded - given} of them by autograde` : "") +
    (given
      ? `, mean ${points(round(mean))}, median ${points(median)} of ${points(most)}`
      : "") +
    (seconds === null ? "" : `, ${duration(seconds)} an answer (median)`);
  const meter = (times) =>
    make("meter", {
      min: 0,
      max: Math.max(graded, 1),
      value: times,
      "aria-label": `${times} of ${graded}`,
    });
  const parts = [
    make("h2", { id: cell }, title, make("a", { href: address("grid", cell) }, "Grid")),
    make("p", { className: "soft" }, summary),
  ];
  if (given) parts.push(bars(distribution, title));
  if (items.length) {
    parts.push(
      table(
        `How often each item of ${title} applies`,
        ["Item", "Points", "Times", ""],
        items.map((item) => [
          withFormulas("span", "", item.text),
          points(item.points, true),
          String(item.times),
          meter(item.times),
        ]),
      ),
    );
  }
  if (graders.length) {
    parts.push(
      table(
        `Graders of ${title}`,
        ["Grader", "Answers", "Mean", "Time an answer"],
        graders.map((one) => [
          make("bdi", {}, one.grader || "in formgrader"),
          String(one.graded),
          points(round(one.mean)),
          duration(one.seconds),
        ]),
      ),
    );
  }
  return make("section", { className: "card" }, ...parts);
}

/** @param {number | null} value */
const round = (value) => (value === null ? null : Math.round(value * 100) / 100);

async function load() {
  try {
    const { questions } = await ask(["statistics"]);
    const none = make("p", {}, "No question of this homework is graded by hand.");
    byId("questions").replaceChildren(...(questions.length ? questions.map(card) : [none]));
    byId("questions").removeAttribute("aria-busy");
    byId("trouble").replaceChildren();
    if (location.hash) byId(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  } catch (error) {
    showNotLoaded("The page", error, load);
  }
}

grader().then(load);
