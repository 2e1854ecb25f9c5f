// @ts-check
/** All answers to one question on one page, for finding and marking several at once. */

import { CELL, address, ask, gradingPage, readingPage } from "./api.js";
import { ClassList, GRID } from "./classlist.js";
import { notSaved } from "./conflict.js";
import { button, byId, counted, make, points, say } from "./dom.js";
import { listen, showHelp } from "./keys.js";
import { confirmChanged, pressItems, showItems } from "./rubric.js";
import { grader, loaded } from "./page.js";
import { compareSimilar } from "./similar.js";

/** @typedef {import("./classlist.js").Row} Row */

const PAUSE = 400; // milliseconds for which the pointer rests on a picture
const list = new ClassList();
/** @type {Set<string>} */
const selected = new Set();
/** @type {Set<string>} */
const chosen = new Set();
/** @type {Row[]} */
let shown = [];
let last = 0; // the tile where a Shift selection starts

/** @type {(() => string[]) | null} */
let group = null; // returns the students of the selected group, which may grow

/** The values by which answers are filtered, each with its words. @type {Record<string, (row: Row) => string[]>} */
const FILTERS = {
  State: (row) => [row.graded ? "graded" : "not graded", row.flagged ? "flagged" : ""],
  Item: (row) =>
    list.rubric.items
      .filter((item) => row.chosen.includes(item.id))
      .map((item) => `${points(item.points, true)} ${item.text}`),
  "Graded by": (row) => [row.grader],
  Hint: (row) => row.hints,
};
/** @type {Record<string, string>} */
const wanted = Object.fromEntries([...new URLSearchParams(location.search)].filter(([name]) => Object.hasOwn(FILTERS, name)));

/** @param {Row} row @param {string} name of a filter */
const has = (row, name) => FILTERS[name](row).includes(wanted[name]);

function showFilters() {
  const listed = Object.entries(FILTERS).filter(([name]) => name !== "Hint"); // it has buttons
  const filters = listed.map(([name, values]) => {
    const counts = new Map(wanted[name] ? [[wanted[name], 0]] : []);
    for (const value of list.rows.flatMap(values).filter(Boolean))
      counts.set(value, (counts.get(value) ?? 0) + 1);
    const options = [...counts].sort().map(([value, count]) =>
      make("option", { value, selected: value === wanted[name] }, `${value} (${count})`),
    );
    const onchange = ({ target }) => {
      wanted[name] = target.value;
      target.blur(); // so that keys are commands again
      showTiles();
      showSelection();
    };
    const all = make("option", { value: "" }, "all");
    return make("label", {}, `${name} `, make("select", { onchange }, all, ...options));
  });
  // A filter that is being chosen stays as it is.
  if (!byId("filters").contains(document.activeElement)) byId("filters").replaceChildren(...filters);
}

/** Show how many answers have each hint. A click shows and selects them; another, all again. */
function showHints() {
  const counts = new Map();
  for (const hint of list.rows.flatMap((row) => row.hints))
    counts.set(hint, (counts.get(hint) ?? 0) + 1);
  const buttons = [...counts].sort(([, one], [, other]) => other - one).map(([hint, count]) => {
    const on = wanted.Hint === hint;
    const press = () => {
      wanted.Hint = on ? "" : hint;
      showTiles();
      showHints();
      const all = on ? [] : shown.map((row) => row.student);
      choose(() => all);
    };
    return button(`${hint} ${count}`, press, { "aria-pressed": String(on) });
  });
  byId("hints").replaceChildren(...buttons.map((one) => make("li", {}, one)));
  byId("hints-line").hidden = !buttons.length;
}

/** Sort failures first, then empty answers, then the rest in the question's order. */
function ordered() {
  const rank = (row) => (row.failed ? 0 : row.empty ? 1 : 2);
  return list.rows
    .filter((row) => Object.keys(FILTERS).every((name) => !wanted[name] || has(row, name)))
    .sort((one, other) => rank(one) - rank(other));
}

/** Return what a tile shows of an answer: its first plot, or its first words. @param {Row} row */
function glimpse(row) {
  const words = (text, soft) => make("p", { className: `excerpt ${soft ? "soft" : ""}` }, text);
  if (row.pictures) {
    const src = `${address("api", "thumbnail", CELL, row.student)}?d=${row.digest}`;
    const onerror = (event) => event.target.replaceWith(words("The plot cannot be shown.", true));
    const alt = `Plot of ${list.call(row.student)}`;
    return make("img", { loading: "lazy", decoding: "async", alt, src, onerror });
  }
  if (row.excerpt) return words(row.excerpt, false);
  if (row.failed) return words("The submission failed.", true);
  return words(row.empty ? "Empty" : row.missing ? "The cell is missing." : "No picture", true);
}

/** @param {Row} row @param {number} index */
function tile(row, index) {
  const name = list.call(row.student);
  const isSelected = selected.has(row.student);
  const marks = [
    row.pictures > 1 && `${row.pictures} plots`,
    row.failed && "failed",
    row.lacks.length ? `lacks ${row.lacks.join(", ")}` : row.error && "error",
    row.flagged && "flagged",
    row.changed && "submitted again",
    row.overridden && "changed in formgrader",
  ];
  const alarm = row.failed || row.error || row.changed ? "alarm" : "soft";
  const toSelect = { type: "checkbox", checked: isSelected, "aria-label": `Select ${name}` };
  const onBox = (event) => select(index, event.shiftKey);
  const onLink = (event) => {
    if (!event.shiftKey) return;
    event.preventDefault();
    select(index, true);
  };
  const href = gradingPage(CELL, row.student) + (location.search ? "&filtered" : "");
  const link = { href, tabIndex: index ? -1 : 0, onclick: onLink };
  const score = row.graded ? points(row.score) : "not graded";
  return make(
    "li",
    { className: isSelected ? "selected" : "", "data-index": index },
    make("a", link, glimpse(row), make("span", { className: "unseen" }, `Grade ${name}`)),
    make("span", { className: `marks ${alarm}` }, marks.filter(Boolean).join(" · ")),
    make(
      "label",
      { className: "caption" },
      make("input", { ...toSelect, tabIndex: -1, onclick: onBox }),
      make("bdi", {}, name),
      make("span", { className: `score ${row.graded ? "" : "waits"}` }, score),
    ),
  );
}

/** Keep the filter in the address, and for the pages of answers that are opened from here. */
function keepFilter() {
  const query = String(new URLSearchParams(Object.entries(wanted).filter(([, value]) => value)));
  const students = shown.map((row) => row.student);
  history.replaceState(null, "", location.pathname + (query && `?${query}`));
  sessionStorage.setItem(GRID, JSON.stringify({ query, students }));
}

function showTiles() {
  shown = ordered();
  keepFilter();
  const tiles = shown.map(tile);
  const why = list.rows.length ? "No such answers." : "Nobody has submitted this homework yet.";
  const none = make("li", { className: "soft" }, why);
  byId("tiles").replaceChildren(...(tiles.length ? tiles : [none]));
  byId("tiles").removeAttribute("aria-busy");
}

/** @param {number} index @param {boolean} range from the last selected tile */
function select(index, range) {
  group = null;
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
  const graded = [...selected].filter((id) => list.row(id)?.graded).length;
  const hidden = selected.size - shown.filter((row) => selected.has(row.student)).length;
  const notes = [graded && `${graded} graded`, hidden && `${hidden} not shown`, group && list.partly];
  const said = [`${counted(selected.size, "answer")} selected`, ...notes.filter(Boolean)];
  byId("selection-title").textContent = said.join(", ");
  byId("selection").hidden = !selected.size;
  pressItems(byId("items"), chosen);
  byId("give").disabled = !chosen.size;
  byId("to-read").hidden = selected.size !== 1;
  byId("to-read").href = readingPage(CELL, [...selected][0] ?? "");
}

/** Select a group, also those who join it while the server reads. @param {() => string[]} students */
function choose(students) {
  group = students;
  selected.clear();
  for (const id of students()) if (list.row(id)) selected.add(id);
  showSelection();
}

function showGroups() {
  const blank = () => list.rows.filter((row) => row.empty).map((row) => row.student);
  const same = list.same.filter(([first]) => !list.row(first)?.empty);
  /** @param {string} kind @param {string[]} students */
  const among = (kind, [first]) => () => list[kind].find((one) => one.includes(first)) ?? [];
  const select = (name, students) =>
    button(`${name} (${students().length})`, () => choose(students));
  /** @param {string[]} students */
  const compare = async ([first]) => {
    const chosen = await compareSimilar(first, list, "Select the chosen ones");
    if (chosen.length) choose(() => chosen);
  };
  const buttons = [
    ...(blank().length ? [select("Empty", blank)] : []),
    ...same.map((one, index) => select(`Same ${index + 1}`, among("same", one))),
    ...list.similar.map((one, index) => {
      const similar = select(`Similar ${index + 1}`, among("similar", one));
      return make("span", {}, similar, button("Compare", () => compare(one)));
    }),
  ];
  const none = make("span", { className: "soft" }, "No two answers are the same.");
  const shown = buttons.length ? buttons : [none];
  byId("groups").replaceChildren(...shown.map((one) => make("li", {}, one)));
}

function showAll() {
  byId("title").textContent = list.question.title;
  byId("names").setAttribute("aria-pressed", String(list.named));
  for (const id of [...selected]) if (!list.row(id)) selected.delete(id);
  showFilters();
  showTiles();
  showGroups();
  showHints();
  if (group) choose(group);
  else showSelection();
}

/** @param {string} id of an item */
function toggle(id) {
  chosen.has(id) ? chosen.delete(id) : chosen.add(id);
  showSelection();
}

/** Send a request that changes the selected answers. @param {(body: any) => Promise<any>} what */
async function apply(what) {
  const students = [...selected].map((id) => list.row(id)).filter((row) => row !== undefined);
  group = null;
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

/** Show the picture larger on which the pointer rests. */
function lens() {
  const large = make("img", { id: "lens", alt: "", hidden: true });
  document.body.append(large);
  /** @type {any} */
  let timer;
  for (const kind of ["pointerover", "pointerleave", "click"]) {
    byId("tiles").addEventListener(kind, ({ target, pointerType, clientX }) => {
      clearTimeout(timer);
      large.hidden = true;
      if (kind !== "pointerover" || pointerType !== "mouse" || target.tagName !== "IMG") return;
      timer = setTimeout(() => {
        large.src = `${target.src}&larger=1`;
        large.className = clientX > innerWidth / 2 ? "left" : "right";
        large.hidden = false;
      }, PAUSE);
    });
  }
}

function names() {
  list.toggleNames();
  showAll();
}

async function begin() {
  await grader();
  await loaded("The class", showPage);
}

async function showPage() {
  await list.load();
  takeRubric(list.rubric);
  showAll();
  follow();
  const clear = () => {
    group = null;
    selected.clear();
    showSelection();
  };
  keysOfTiles();
  lens();
  listen(
    {
      u: undo,
      i: names,
      s: () => chosen.size && selected.size && give(),
      d: () => selected.size && nothing(),
      a: () => {
        const all = shown.map((row) => row.student);
        choose(() => all);
      },
      Escape: clear,
      "?": showHelp,
    },
    (index) => selected.size && list.rubric.items[index] && toggle(list.rubric.items[index].id),
  );
}

begin();
