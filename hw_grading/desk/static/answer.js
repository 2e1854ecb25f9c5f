// @ts-check
/** The page on which answers are graded, one after another. */

import { CELL, QUESTION, SECOND, address, ask, gradingPage, readingPage } from "./api.js";
import { ClassList, GRID } from "./classlist.js";
import { Comment } from "./comment.js";
import { compare, notSaved } from "./conflict.js";
import { showContent, showNotices, showQuestion } from "./content.js";
import { button, byId, counted, make, notTyping, points, say } from "./dom.js";
import { editRubric, number, numbersOnly, offerUndo } from "./editor.js";
import { listen, showHelp } from "./keys.js";
import { Lease } from "./lease.js";
import { grader, loaded, notLoaded } from "./page.js";
import { showMarking, showPosition, showSaving } from "./panel.js";
import { confirmChanged, fullMarks, showItems, showNews } from "./rubric.js";
import { Saver, markOf } from "./saver.js";
import { compareSimilar } from "./similar.js";

/** @typedef {import("./saver.js").Mark} Mark */

const HERE = `hw-grading desk at ${location.pathname}`;
const list = new ClassList();
let student = "";
/** @type {any} */
let answer = null; // the shown answer; null while it loads
/** @type {Mark | null} */
let mark = null;
let failed = false; // whether the answer could not be loaded
let move = 0; // counts moves, so that an answer that arrives too late is not shown
/** @type {string[]} */
let others = []; // who else has the shown answer open

const saver = new Saver({
  revision: () => list.rubric.revision,
  known: (students) =>
    Object.fromEntries(
      students.flatMap((id) => {
        const row = list.row(id);
        return row ? [[id, [row.version, row.digest]]] : [];
      }),
    ),
  onState: () => showSaving(saver, list, student),
  onSaved: (id, grading) => {
    list.graded(id, grading);
    if (id !== student || !answer) return showProgress();
    const entry = saver.entries.get(id);
    answer.grading = grading;
    if (entry?.base === grading && !saver.waits(entry)) mark = markOf(entry.mark);
    showNotices(answer, others, keep);
    showMark();
  },
  onConflict: async (entry, theirs) => {
    await notTyping();
    const title = `${list.call(entry.student)}: two versions`;
    return compare(title, entry, theirs, list.rubric, list.question.max_points);
  },
  onRubric: async (rubric, message) => {
    const now = rubric ?? (await ask([QUESTION, CELL])).rubric;
    await notTyping();
    const goOn = await confirmChanged(list.rubric, now, message);
    if (goOn) takeRubric(now);
    return goOn;
  },
  onRefused: (id) => say("", ...notSaved([id], (one) => list.call(one))),
});

const lease = new Lease((opened) => {
  if (opened.then && !SECOND) list.answer(opened.then); // loaded ahead
  if (opened.student !== student) return;
  ({ others } = opened);
  if (answer) showNotices(answer, others, keep);
});

/** Use another rubric from now on. @param {import("./rubric.js").Rubric} rubric */
function takeRubric(rubric) {
  list.rubric = rubric;
  const ids = new Set(rubric.items.map((item) => item.id));
  for (const entry of saver.unsaved())
    entry.mark.chosen = entry.mark.chosen.filter((id) => ids.has(id));
  if (mark) mark = { ...mark, chosen: mark.chosen.filter((id) => ids.has(id)) };
  list.newest = rubric;
  showItems(byId("items"), rubric, toggle);
  news();
  showMark();
}

// -- marking

/** @param {Partial<Mark>} part @param {{typing?: boolean, force?: boolean, also?: string[]}} [how] */
function change(part, how = {}) {
  if (!mark || !answer) return;
  mark = { ...mark, ...part };
  if (!("done" in part) && ("chosen" in part || "adjustment" in part)) {
    mark.done = mark.chosen.length > 0 || mark.adjustment !== 0;
  }
  const also = byId("same").checked ? list.sameAs(student) : [];
  saver.change(student, mark, { also, ...how });
  showMark();
}

/** @param {string} id of an item */
function toggle(id) {
  const before = mark?.chosen ?? [];
  const chosen = before.includes(id) ? before.filter((one) => one !== id) : [...before, id];
  change({ chosen });
}

/** Take the items that are suggested; return whether there are any. */
function take() {
  const suggested = mark && answer ? list.suggestedIn(answer) : [];
  if (!suggested.length) say("Nothing is suggested for this answer.");
  else change({ chosen: [...new Set([...(mark?.chosen ?? []), ...suggested])], done: true });
  return suggested.length > 0;
}

const yes = () => (take() ? goOn() : undefined);
const keep = () => change({ done: true }, { force: true });
const adjust = (by) =>
  change({ adjustment: Math.round(((mark?.adjustment ?? 0) + by) * 1000) / 1000 });
const full = () => change({ ...fullMarks(list.rubric, list.question.max_points), done: true });

/** Mark the answer as graded, with no items and no adjustment. */
function nothing() {
  const bare = mark && !mark.chosen.length && !mark.adjustment;
  change({ chosen: [], adjustment: 0, done: !(bare && mark?.done) });
}

const flag = () => change({ flagged: !mark?.flagged });

function reason() {
  if (!mark?.flagged) flag();
  byId("flag-note").focus();
}

function same() {
  if (!byId("same-line").hidden) byId("same").click();
  else say(`No other answer is the same${list.partly ? ` (${list.partly})` : ""}.`);
}

async function similar() {
  const also = await compareSimilar(student, list, "Give the chosen ones the same marks");
  if (also.length && !mark?.done) say("Grade this answer first.");
  else if (also.length) change({}, { also, force: true });
}

let enlarged = -1; // the picture that was enlarged last

function enlarge() {
  /** @type {NodeListOf<HTMLElement>} */
  const pictures = document.querySelectorAll("#answer .enlarge, #beside .enlarge");
  enlarged = (enlarged + 1) % (pictures.length || 1);
  pictures[enlarged]?.click();
}

async function undo() {
  await saver.idle();
  try {
    const { undone } = await ask(["undo", CELL], {});
    const ids = Object.keys(undone);
    for (const id of ids) {
      list.graded(id, undone[id]);
      saver.adopt(id, undone[id]);
    }
    await show(ids.includes(student) ? student : ids[0], true);
    say(`Undone: ${ids.length > 1 ? counted(ids.length, "answer") : list.call(ids[0])}.`);
  } catch (error) {
    say(`Not undone: ${error.message}`);
  }
}

async function edit() {
  const changed = async (rubric, rescored) => {
    takeRubric(rubric);
    list.loaded.clear();
    offerUndo(rescored, changed);
    await refresh();
    await show(student, true);
  };
  await saver.idle();
  editRubric(list.rubric, (id) => list.call(id), changed);
}

// -- showing

function showMark() {
  byId("marking").setAttribute("aria-busy", String(!mark));
  for (const field of byId("marking").querySelectorAll("button, input, textarea")) {
    field.disabled = !mark;
  }
  if (!mark || !answer) return;
  showMarking(mark, answer, list);
  if (document.activeElement !== comment.field) comment.show(mark.comment);
  showProgress();
}

const showProgress = () => showPosition(list, student);
const news = () => showNews(list, () => saver.unsaved().length > 0, takeRubric);

// -- moving

/**
 * Show an answer, and lease it.
 * @param {string} id @param {boolean} [fresh] asked for again, even if preloaded
 */
async function show(id, fresh = false) {
  const turn = ++move;
  failed = false;
  saver.flush();
  const moved = id !== student;
  if (moved) others = [];
  student = id;
  if (lease.student !== id) lease.open(id);
  sessionStorage.setItem(HERE, id);
  if (!SECOND) byId("to-read").href = readingPage(CELL, id);
  if (moved) {
    [answer, mark] = [null, null];
    if (
      byId("marking").contains(document.activeElement) ||
      byId("answer").contains(document.activeElement)
    ) {
      /** @type {HTMLElement} */ (document.activeElement).blur();
    }
    byId("work").setAttribute("aria-busy", "true");
    byId("same").checked = false;
    enlarged = -1;
  }
  showMark();
  showProgress();
  showSaving(saver, list, student);
  try {
    const loaded = await list.answer(id, fresh);
    if (turn !== move) return;
    answer = { ...loaded };
    mark = markOf(saver.open(id, loaded.grading, loaded.digest));
    const entry = saver.entries.get(id);
    if (entry && !saver.waits(entry) && fresh) saver.adopt(id, loaded.grading);
    if (entry?.base) answer.grading = entry.base;
    showContent(answer);
    showNotices(answer, others, keep);
    byId("work").removeAttribute("aria-busy");
    byId("marking").hidden = false;
    showMark();
    saver.flush();
    const next = list.neighbour(id, 1);
    if (next) list.answer(next);
    setTimeout(useKeys); // an error in a command is not one of loading
  } catch (error) {
    if (turn !== move) return;
    failed = true;
    byId("work").removeAttribute("aria-busy");
    byId("marking").hidden = !mark; // it shows the answer before
    byId("beside").replaceChildren();
    byId("notices").replaceChildren(
      notLoaded("The answer", error, () => show(id, true), "notice alarm"),
    );
    byId("answer-text").replaceChildren();
  }
}

/** @param {number} step */
function go(step) {
  const next = list.neighbour(student, step);
  if (next === undefined) say(step > 0 ? "This is the last answer." : "This is the first answer.");
  else show(next);
}

async function goOn() {
  await saver.idle(); // the others go on to what is neither graded nor open
  let opened;
  try {
    opened = await following(student);
  } catch (error) {
    return say(`${error.message} Press n again.`);
  }
  if (opened.student !== null) show(opened.student);
  else nothingLeft(opened);
}

/** Return where the grader goes on. @param {string} here @returns {Promise<import("./lease.js").Opened>} */
async function following(here) {
  if (!SECOND) return lease.next(here);
  return { student: list.ungraded(here), others: [], then: null, elsewhere: 0 };
}

/** Help the others: from now on, `n` leads to any answer. */
function help() {
  lease.helping = true;
  return goOn();
}

/** @param {import("./lease.js").Opened} opened */
function nothingLeft({ others: there, elsewhere }) {
  const away = make("a", { href: address("") }, "Back to all questions");
  if (elsewhere) {
    const left = `${counted(elsewhere, "answer")} of others ${elsewhere > 1 ? "wait" : "waits"}. `;
    const done = `Your share is done${there.length ? `, or open: ${there.join(", ")}` : ""}. ${left}`;
    say(done, button("Help others (h)", help, { "aria-keyshortcuts": "h" }), " ", away);
  } else if (there.length) say(`All other answers are graded, or open: ${there.join(", ")}. `, away);
  else say(mark?.done ? "Every answer is graded. " : "All other answers are graded. ", away);
}

async function refresh() {
  if (document.hidden) return;
  try {
    await list.load();
    comment.used = list.comments;
    showMark();
    showProgress();
    news();
    if (failed) show(student, true);
  } catch {
    // The saver reports problems with the server.
  }
}

// -- the page

const comment = new Comment((text, typing) => {
  if (mark && text !== mark.comment) change({ comment: text }, { typing });
  else if (!typing) saver.flush();
});

function names() {
  list.toggleNames();
  showProgress();
}

async function grid() {
  await saver.idle();
  byId("to-grid").click();
}

/** @type {Record<string, () => any>} */
const actions = {
    j: () => go(1),
    k: () => go(-1),
    n: goOn,
    h: help,
    0: full,
    d: nothing,
    c: () => comment.field.focus(),
    u: undo,
    "+": () => adjust(0.5),
    "=": () => adjust(0.5),
    "-": () => adjust(-0.5),
    "−": () => adjust(-0.5),
    t: take,
    y: yes,
    f: flag,
    r: reason,
    a: same,
    s: similar,
    z: enlarge,
    i: names,
    e: edit,
    q: () => (byId("question").open = !byId("question").open),
    g: grid,
    "?": showHelp,
};
// These show or change first marks.
if (SECOND) for (const key of "uegash") delete actions[key];

const useKeys = listen(
  actions,
  (index) => list.rubric.items[index] && toggle(list.rubric.items[index].id),
  () => mark !== null,
  (key) => student !== "" && "jkn".includes(key),
);

function connect() {
  byId("adjustment").addEventListener("beforeinput", numbersOnly);
  byId("adjustment").addEventListener("change", () => {
    const value = number(byId("adjustment").value || "0");
    if (Number.isFinite(value)) change({ adjustment: value });
    else say("Type a number of points, such as -0.5.");
    byId("adjustment").value = mark?.adjustment ? points(mark.adjustment, true) : "0";
  });
  byId("flag-note").addEventListener("input", () =>
    change({ flag_note: byId("flag-note").value }, { typing: true }),
  );
  byId("flag-note").addEventListener("change", () => saver.flush());
  for (const id of ["adjustment", "flag-note"]) {
    byId(id).addEventListener(
      "keydown",
      (event) => ["Escape", "Enter"].includes(event.key) && event.target.blur(),
    );
  }
  byId("same").addEventListener("change", () => byId("same").checked && mark?.done && keep());
  setInterval(refresh, 20_000);
  readOn();
}

/** Update the page while the server is still reading answers. */
function readOn() {
  const { read = 0, of = 0 } = list.reading ?? {};
  if (read < of) setTimeout(() => refresh().then(readOn), 1_000);
}

/** Return the student to start with: the address's or this tab's last one; undefined to go on. */
function first() {
  const asked = new URLSearchParams(location.search);
  const wanted = asked.get("student");
  if (asked.has("filtered")) fromTheGrid();
  if (wanted && list.row(wanted)) return wanted;
  if (wanted) say(`${wanted} has no answer to grade yet.`);
  if (asked.has("next")) return undefined;
  const before = sessionStorage.getItem(HERE);
  return before && list.row(before) ? before : undefined;
}

/** Stay among the answers that the filtered grid showed, and lead back to it. */
function fromTheGrid() {
  const { query = "", students = [] } = JSON.parse(sessionStorage.getItem(GRID) ?? "{}");
  list.filtered = students.filter((id) => list.row(id));
  byId("to-grid").search = query;
}

async function begin() {
  await grader();
  await loaded("The question", showAll);
}

async function showAll() {
  await list.load();
  byId("title").textContent = list.question.title;
  comment.used = list.comments;
  showQuestion(list.question);
  showItems(byId("items"), list.rubric, toggle);
  const asked = first();
  const opened = asked === undefined ? await following("").catch(() => null) : null;
  const start = asked ?? opened?.student ?? list.rows[0]?.student;
  // Remove the student's id from the address, so that names stay hidden.
  const query = list.filtered.length ? "?filtered" : "";
  history.replaceState(null, "", location.pathname + query);
  if (start === undefined) {
    const none = SECOND ? "No answer waits for your second mark." : "Nobody has submitted this homework yet.";
    byId("answer-text").replaceChildren(make("p", {}, none));
    return;
  }
  connect();
  saver.recover();
  await show(start);
  if (opened?.elsewhere && opened.student === null) nothingLeft(opened);
}

begin();
