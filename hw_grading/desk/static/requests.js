// @ts-check
/** What students ask about their points: the queue, how each answer was graded, and the replies. */

import { address, ask, gradingPage } from "./api.js";
import { button, byId, enlargePictures, history, listedNames, make, points, say, scrolling, showCleanedHtml, table, when } from "./dom.js";
import { number, numbersOnly } from "./editor.js";
import { grader, loaded } from "./page.js";

/** @param {string} html */
function content(html) {
  const element = make("div", { className: "content" });
  showCleanedHtml(element, html);
  enlargePictures(element, "Plot");
  return element;
}

/** How an answer was graded: with its history, or the code with the parts of its test. @param {string} cell @param {any} found */
function grading(cell, { answer, events, code, parts, changes }) {
  const shown = answer
    ? [content(answer.html), answer.given_html && make("blockquote", { className: "given" }, content(answer.given_html))]
    : [code ? make("pre", { className: "code", tabIndex: 0, role: "region", "aria-label": "The code" }, code) : make("p", {}, "The graded notebook has no code here.")];
  if (events?.length) shown.push(history("History", events));
  if (parts?.length) {
    const rows = parts.map((part) => [
      make("th", { scope: "row" }, part.name === cell ? "The whole test" : part.name),
      make("span", { className: part.passed ? "" : "alarm" }, `${points(part.earned)} of ${points(part.points)}${part.passed ? "" : ", failed"}`),
      make("span", { className: "words" }, part.message, part.fresh && make("em", {}, " (fresh input)")),
    ]);
    shown.push(scrolling("Parts of the test", table(["Part", "Points", "What the test says"], rows)));
  }
  const changed = changes.map((one) => make("p", {}, `${points(one.points, true)} by `, make("bdi", {}, one.author), `: ${one.reason}`));
  return [...shown, ...changed];
}

/** @param {any} row */
function card(row) {
  const { cell, student, name, title, words, older, others, graded_by: gradedBy, replied_at: repliedAt } = row;
  const inside = make("div", { className: "opened" }, make("p", { className: "soft" }, "Loading…"));
  const show = async () => {
    if (!how.open || how.dataset.loaded) return;
    try {
      inside.replaceChildren(...grading(cell, await ask(["request", cell, student])).filter(Boolean));
      how.dataset.loaded = "yes";
    } catch (error) {
      how.open = false;
      say(`The answer was not loaded: ${error.message}`);
    }
  };
  const how = make("details", { ontoggle: show }, make("summary", {}, "The answer, and how it was graded"), inside);
  const box = make(
    "section",
    { className: "card", "aria-label": `${title}, ${name || student}` },
    make(
      "h2",
      {},
      title,
      make("span", {}, `${points(row.points)} of ${points(row.max_points)}`),
      make("a", { href: address("student", student) }, make("bdi", {}, name ? `${name} (${student})` : student)),
    ),
    make("blockquote", { className: "given words" }, words),
    make("p", { className: "soft" }, `Asked ${when(row.at)}. Graded by `, gradedBy ? make("bdi", {}, gradedBy) : row.by_hand ? "nobody on the desk" : "a test", "."),
    older && make("p", { className: "alarm" }, older),
    others.length > 0 && make("p", { className: "waits" }, "You graded this answer. Somebody else should reply, if they can: ", ...listedNames(others), "."),
    how,
  );
  const again = repliedAt && button("Change the reply", () => again.replaceWith(form(row, box)));
  if (repliedAt) {
    const by = make("p", { className: "soft" }, "Reply by ", make("bdi", {}, row.replied_by), `, ${when(repliedAt)}:`);
    box.append(by, make("blockquote", { className: "given" }, content(row.reply_html)), make("p", {}, again));
  } else {
    box.dataset.open = "yes";
    box.append(form(row, box));
  }
  return box;
}

/** The form for a reply, and for other points of a test. @param {any} row @param {Element} box */
function form(row, box) {
  const { cell, student, by_hand: byHand, points: now, max_points: most } = row;
  const id = `${cell} ${student}`;
  const text = make("textarea", { id: `reply ${id}`, rows: 3, required: true, value: row.reply, maxLength: 20_000 });
  const to = make("input", { id: `to ${id}`, size: 5, inputMode: "decimal", autocomplete: "off", value: points(now), onbeforeinput: numbersOnly });
  const send = async (event) => {
    event.preventDefault();
    const wanted = number(to.value);
    if (!byHand && !Number.isFinite(wanted)) return to.focus();
    const changed = !byHand && points(wanted) !== points(now);
    try {
      const said = { revision: row.revision, words: text.value, points: changed ? wanted : null };
      const made = card(await ask(["request", cell, student], said));
      box.replaceWith(made);
      count();
      made.querySelector("summary")?.focus();
      say("Saved. The student reads it on the next page of feedback.");
    } catch (error) {
      say(`Not saved: ${error.message}`);
    }
  };
  const change = byHand
    ? make("a", { className: "button", href: gradingPage(cell, student), target: "_blank" }, "Change the mark")
    : make("span", {}, make("label", { htmlFor: to.id }, "Points "), to, ` of ${points(most)}`);
  return make(
    "form",
    { onsubmit: send },
    make("label", { htmlFor: text.id }, "Reply, which the student reads"),
    text,
    make("p", { className: "buttons" }, make("button", { className: "main" }, "Save the reply"), change),
  );
}

/** Say how many are open. */
function count() {
  const [all, open] = [".card", ".card[data-open]"].map((cards) => document.querySelectorAll(cards).length);
  byId("count").textContent = all ? `${open} open, ${all - open} with a reply.` : "Nobody has asked about points.";
}

async function load() {
  const { requests } = await ask(["requests"]);
  byId("requests").replaceChildren(...requests.map(card));
  count();
  byId("requests").removeAttribute("aria-busy");
}

grader().then(() => loaded("The page", load));
