// @ts-check
/** All answers to one question on one page, for finding and marking several at once. */

import { CELL, address, ask, gradingPage } from "./api.js";
import { ClassList } from "./classlist.js";
import { notSaved } from "./conflict.js";
import { button, byId, counted, make, points, say } from "./dom.js";
import { listen, showHelp } from "./keys.js";
import { confirmChanged, pressItems, showItems } from "./rubric.js";
import { grader, showNotLoaded } from "./page.js";

/** @typedef {import("./classlist.js").Row} Row */

const list = new ClassList();
/** @type {Set<string>} */
const selected = new Set();
/** @type {Set<string>} */
const chosen = new Set();
/** @type {Row[]} */
let shown = [];
let last = 0; // the tile where a Shift selection starts

const FILTERS = {
  all: () => true,
  waiting: (row) => !row.graded,
  graded: (row) => row.graded,
  flagged: (row) => row.flagged,
};

/** Sort failures first, then empty answers, then the rest in the question's order. */
function ordered() {
  const rank = (row) => (row.failed ? 0 : row.empty ? 1 : 2);
  return list.rows
    .filter(FILTERS[byId("show").value])
    .sort((one, other) => rank(one) - rank(other));
}

/** @param {Row} row @param {number} index */
function tile(row, index) {
  const name = list.call(row.student);
  const words = (text, soft) => make("p", { className: `excerpt ${soft ? "soft" : ""}` }, text);
  const why = row.failed
    ? "The submission failed."
    : row.empty
      ? "Empty"
      : row.missing
        ? "The cell is missing."
        : "No picture";
  const inside = row.pictures
    ? make("img", {
        loading: "lazy",
        decoding: "async",
        alt: `Plot of ${name}`,
        src: `${address("api", "thumbnail", CELL, row.student)}?d=${row.digest}`,
        onerror: (event) => event.target.replaceWith(words("The plot cannot be shown.", true)),
      })
    : words(row.excerpt || why, !row.excerpt);
  const marks = [
    row.pictures > 1 && `${row.pictures} plots`,
    row.failed && "failed",
    row.error && "error",
    row.flagged && "flagged",
    row.changed && "submitted again",
    row.overridden && "changed in formgrader",
  ]
    .filter(Boolean)
    .join(" · ");
  const box = make("input", {
    type: "checkbox",
    checked: selected.has(row.student),
    tabIndex: -1,
    "aria-label": `Select ${name}`,
    onclick: (event) => select(index, event.shiftKey),
  });
  return make(
    "li",
    { className: selected.has(row.student) ? "selected" : "", "data-index": index },
    make(
      "a",
      {
        href: gradingPage(CELL, row.student),
        tabIndex: index ? -1 : 0,
        onclick: (event) => {
          if (!event.shiftKey) return;
          event.preventDefault();
          select(index, true);
        },
      },
      inside,
      make("span", { className: "unseen" }, `Grade ${name}`),
    ),
    make(
      "span",
      { className: `marks ${row.failed || row.error || row.changed ? "alarm" : "soft"}` },
      marks,
    ),
    make(
      "label",
      { className: "caption" },
      box,
      make("bdi", {}, name),
      make(
        "span",
        { className: `score ${row.graded ? "" : "waits"}` },
        row.graded ? points(row.score) : "not graded",
      ),
    ),
  );
}

function showTiles() {
  shown = ordered();
  const tiles = shown.map(tile);
  const none = make(
    "li",
    { className: "soft" },
    list.rows.length ? "No such answers." : "Nobody has submitted this homework yet.",
  );
  byId("tiles").replaceChildren(...(tiles.length ? tiles : [none]));
  byId("tiles").removeAttribute("aria-busy");
}

/** @param {number} index @param {boolean} range from the last selected tile */
function select(index, range) {
  const on = !selected.has(shown[index].student);
  const [from, to] = range ? [Math.min(last, index), Math.max(last, index)] : [index, index];
  for (const row of shown.slice(from, to + 1))
    on || range ? selected.add(row.student) : selected.delete(row.student);
  last = index;
  showSelection();
}

function showSelection() {
  for (const element of byId("tiles").children) {
    const row = shown[Number(element.dataset.index)];
    const on = row !== undefined && selected.has(row.student);
    element.classList.toggle("selected", on);
    const box = element.querySelector("input");
    if (box) box.checked = on;
  }
  const box = byId("selection");
  const graded = [...selected].filter((id) => list.row(id)?.graded).length;
  box.hidden = !selected.size;
  byId("selection-title").textContent =
    counted(selected.size, "answer") + " selected" + (graded ? `, ${graded} graded` : "");
  pressItems(byId("items"), chosen);
  byId("give").disabled = !chosen.size;
}

function showGroups() {
  const blank = list.rows.filter((row) => row.empty).map((row) => row.student);
  const identical = list.same.filter((group) => !group.every((id) => list.row(id)?.empty));
  const groups = [
    ...(blank.length ? [["Empty", blank]] : []),
    ...identical.map((group, index) => [`Identical ${index + 1}`, group]),
  ];
  const choose = (students) => () => {
    selected.clear();
    for (const id of students) if (list.row(id)) selected.add(id);
    showSelection();
  };
  const buttons = groups.map(([name, students]) =>
    make("li", {}, button(`${name} (${students.length})`, choose(students))),
  );
  const none = make("li", { className: "soft" }, "No two answers are identical.");
  byId("groups").replaceChildren(...(buttons.length ? buttons : [none]));
}

function showAll() {
  byId("title").textContent = list.question.title;
  byId("names").setAttribute("aria-pressed", String(list.named));
  for (const id of [...selected]) if (!list.row(id)) selected.delete(id);
  showTiles();
  showGroups();
  showSelection();
}

/** @param {string} id of an item */
function toggle(id) {
  chosen.has(id) ? chosen.delete(id) : chosen.add(id);
  showSelection();
}

/** Send a request that changes the selected answers. @param {(body: any) => Promise<any>} what */
async function apply(what) {
  const students = [...selected].map((id) => list.row(id)).filter((row) => row !== undefined);
  const column = (name) => Object.fromEntries(students.map((row) => [row?.student, row?.[name]]));
  for (const button of byId("selection").querySelectorAll("button")) button.disabled = true;
  try {
    const body = {
      versions: column("version"),
      digests: column("digest"),
      rubric_revision: list.rubric.revision,
    };
    const { saved = {}, refused = {} } = await what(body);
    for (const id of Object.keys(saved)) selected.delete(id);
    const left = Object.keys(refused);
    const why = left.length ? [" ", ...notSaved(left, (id) => list.call(id))] : [];
    say(`Saved: ${counted(Object.keys(saved).length, "answer")}.`, ...why);
    chosen.clear();
    await reload();
  } catch (error) {
    if (error.body?.kind === "rubric") {
      if (await confirmChanged(list.rubric, error.body.rubric, error.message)) {
        takeRubric(error.body.rubric);
        await apply(what);
      }
    } else {
      say(`Not saved: ${error.message} `, button("Try again", () => apply(what)));
    }
  } finally {
    for (const button of byId("selection").querySelectorAll("button")) button.disabled = false;
    showSelection();
  }
}

function takeRubric(rubric) {
  list.rubric = rubric;
  const ids = new Set(rubric.items.map((item) => item.id));
  for (const id of chosen) if (!ids.has(id)) chosen.delete(id);
  showItems(byId("items"), rubric, toggle);
}

const give = () => apply((body) => ask(["items", CELL], { ...body, items: [...chosen] }));
const nothing = () => {
  const mark = { chosen: [], done: true };
  return apply((body) => ask(["save", CELL], { ...body, mark }));
};

async function undo() {
  try {
    const { undone } = await ask(["undo", CELL], {});
    say(`Undone: ${counted(Object.keys(undone).length, "answer")}.`);
    await reload();
  } catch (error) {
    say(`Not undone: ${error.message}`);
  }
}

async function reload() {
  await list.load();
  showAll();
  follow();
}

/** Update the page while the server is still reading answers. */
function follow() {
  const { read = 0, of = 0 } = list.reading ?? {};
  byId("reading").textContent = read < of ? `${read} of ${of} notebooks are read.` : "";
  if (read < of) setTimeout(() => reload().catch(() => {}), 2_000);
}

/** Arrows move through the tiles; Space selects. */
function keysOfTiles() {
  byId("tiles").addEventListener("keydown", (event) => {
    const here = event.target.closest("li");
    if (!here || event.target.tagName !== "A" || event.ctrlKey || event.altKey || event.metaKey)
      return;
    const all = [...byId("tiles").children];
    const columns = all.filter((one) => one.offsetTop === all[0].offsetTop).length;
    const index = all.indexOf(here);
    const step = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: columns,
      ArrowUp: -columns,
      Home: -index,
      End: all.length - 1 - index,
    }[event.key];
    if (event.key === " ") select(index, false);
    else if (step === undefined || !all[index + step]) return;
    else {
      all[index + step].querySelector("a")?.focus();
      if (event.shiftKey) {
        if (!selected.size) last = index;
        select(index + step, true);
      }
    }
    event.preventDefault();
  });
}

function names() {
  list.toggleNames();
  showAll();
}

async function begin() {
  await grader();
  try {
    await list.load();
  } catch (error) {
    showNotLoaded("The class", error, () => location.reload());
    return;
  }
  takeRubric(list.rubric);
  showAll();
  follow();
  const clear = () => {
    selected.clear();
    showSelection();
  };
  const help = () =>
    showHelp([
      ["arrows", "move from answer to answer"],
      ["Space", "select or unselect (Shift and arrow: a range)"],
      ["Enter", "grade this answer"],
      ["1 … 9", "choose an item for the selected answers"],
      ["s", "give the chosen items to them"],
      ["Esc", "select none"],
      ["u", "undo"],
      ["i", "names of students"],
      ["?", "this help"],
    ]);
  const actions = { give, nothing, undo, names, clear, help };
  for (const [id, action] of Object.entries(actions)) byId(id).addEventListener("click", action);
  byId("show").addEventListener("change", showTiles);
  keysOfTiles();
  listen(
    {
      u: undo,
      i: names,
      s: () => chosen.size && selected.size && give(),
      Escape: clear,
      "?": help,
    },
    (index) => selected.size && list.rubric.items[index] && toggle(list.rubric.items[index].id),
  );
}

begin();
