// @ts-check
/** Whether graders agree, whose answers each one grades, and what a head grader decides. */

import { ask, gradingPage } from "./api.js";
import { button, byId, counted, dialog, make, points, say, scrolling, table } from "./dom.js";
import { grader, loaded } from "./page.js";

/** @type {any} */
let all = null;

const rounded = (value) => points(Math.round(value * 100) / 100);
const percent = (share) => `${Math.round(100 * share)} %`;
const called = (name) => make("bdi", {}, name);

/** Send what a head grader decides, and load the page again. @param {string[]} where @param {object} body @param {string} done */
async function send(where, body, done) {
  try {
    await ask(where, body);
    await show();
    say(done);
  } catch (error) {
    say(`Not saved: ${error.message}`);
  }
}

/** The habits of graders: mean, spread, and how often each item is given. @param {string} title @param {any[]} habits @param {any[]} items */
function habitsTable(title, habits, items) {
  const heads = ["Grader", "Answers", "Mean", "Spread", ...items.map((item) => item.text)];
  const rows = habits.map(({ grader: name, answers, mean, spread, given }) => [
    make("th", { scope: "row" }, called(name)),
    String(answers),
    rounded(mean),
    rounded(spread),
    ...items.map((item) => percent((given[item.id] ?? 0) / answers)),
  ]);
  return [make("h3", {}, title), scrolling(title, table(heads, rows))];
}

/** What graders give unlike each other, beyond chance. @param {any} question */
function differences({ differences: found, items }) {
  if (!found.length) return make("p", {}, "No item is given more or less often by one grader than by the others, beyond chance.");
  const text = (id) => items.find((item) => item.id === id)?.text ?? id;
  const line = ({ item, grader: name, share, others }) =>
    make("li", {}, called(name), ` gives “${text(item)}” in ${percent(share)} of the answers, the others in ${percent(others)}.`);
  return make("ul", {}, ...found.map(line));
}

/** Answers with two marks that differ. @param {any} question */
function pairsTable({ cell, items, pairs, title }) {
  if (!pairs.length) return make("p", {}, "No two marks of one answer differ.");
  const said = ({ grader: name, points: given, chosen }) => {
    const texts = items.filter((item) => chosen.includes(item.id)).map((item) => item.text);
    return [called(name), `: ${points(given)}`, make("span", { className: "soft" }, ` (${texts.join("; ") || "no item"})`)];
  };
  const decide = (pair) =>
    pair.marks.map((mark) => {
      const body = { student: pair.student, version: pair.now.version, whose: mark.grader };
      const label = `Take ${mark.grader}’s mark`;
      return button(label, () => send(["decide", cell], body, `${mark.grader}’s mark counts.`));
    });
  const rows = pairs.map((pair) => [
    make("th", { scope: "row" }, make("a", { href: gradingPage(cell, pair.student) }, `Answer ${pair.place}`)),
    ...pair.marks.map((mark) => make("td", {}, ...said(mark))),
    pair.taken ? make("td", {}, "Decided: ", called(pair.taken)) : make("td", { className: "buttons" }, ...(all.is_head ? decide(pair) : ["Open"])),
  ]);
  return scrolling(`Two marks: ${title}`, table(["Answer", "First mark", "Second mark", "Decision"], rows));
}

/** A form that shares a question out. @param {any} question */
function shareForm({ cell, shares, title }) {
  const of = (section) => shares.filter((share) => share.section === section).map((share) => share.grader);
  const places = ["", ...all.sections].map((section, number) => {
    const id = `share-${cell}-${number}`;
    const label = make("label", { htmlFor: id }, section ? `Section ${section}` : "Whole class, in equal parts");
    const field = make("input", { id, size: 40, value: of(section).join(", "), autocomplete: "off" });
    return { section, field, line: make("p", {}, label, " ", field) };
  });
  const save = (event) => {
    event.preventDefault();
    const wanted = places.flatMap(({ section, field }) =>
      field.value.split(",").map((name) => name.trim()).filter(Boolean).map((name) => ({ grader: name, section })),
    );
    const done = wanted.length ? "The answers are shared out." : "Answers go to whoever comes.";
    return send(["share", cell], { shares: wanted }, done);
  };
  return make(
    "details",
    {},
    make("summary", {}, "Share the answers out"),
    make("p", { className: "soft" }, "Names of graders, with commas. Leave all fields empty, and answers go to whoever comes."),
    make("form", { onsubmit: save, "aria-label": `Shares: ${title}` }, ...places.map(({ line }) => line), make("button", {}, "Share out")),
  );
}

/** Put all marks of one grader back. @param {any} question */
function redoForm({ cell, all: habits, title }) {
  const id = `redo-${cell}`;
  const whose = make("select", { id }, ...habits.map(({ grader: name }) => make("option", { value: name }, name)));
  const redo = async (event) => {
    event.preventDefault();
    const what = make("p", {}, "All marks of ", called(whose.value), ` for ${title} become “not graded”. The history keeps them, and Undo brings them back.`);
    const asked = await dialog("Put marks back?", [what], { buttons: [["Put them back", "main"], ["Cancel", ""]] });
    if (asked !== "Put them back") return;
    await send(["redo", cell], { whose: whose.value }, `The marks of ${whose.value} are put back.`);
  };
  return make(
    "details",
    {},
    make("summary", {}, "Have marks made again"),
    make("form", { className: "buttons", onsubmit: redo }, make("label", { htmlFor: id }, "Put back all marks of"), whose, make("button", {}, "Put back…")),
  );
}

/** @param {any} question */
function card(question) {
  const { title, all: habits, same, items } = question;
  if (!habits.length)
    return make("section", { className: "card" }, make("h2", {}, title), make("p", {}, "Nobody has graded an answer here."), all.is_head ? shareForm(question) : "");
  return make(
    "section",
    { className: "card" },
    make("h2", {}, title),
    differences(question),
    ...habitsTable("All answers", habits, items),
    ...same.flatMap((two) => habitsTable(`The same ${counted(two[0].answers, "answer")}`, two, items)),
    make("h3", {}, "Answers with two marks"),
    pairsTable(question),
    ...(all.is_head ? [shareForm(question), redoForm(question)] : []),
  );
}

async function show() {
  all = await ask(["graders"]);
  byId("about").textContent = all.is_head
    ? "Of two marks, the first counts until you take one."
    : "Of two marks, the first counts until a head grader takes one.";
  byId("questions").replaceChildren(...all.questions.map(card));
  byId("questions").removeAttribute("aria-busy");
}

async function begin() {
  await grader();
  await loaded("The graders", show);
}

begin();
