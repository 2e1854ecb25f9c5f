// @ts-check
/** Makes elements and puts texts into them. */

import { ask } from "./api.js";

/**
 * Make an element. In `settings`, keys with `on…` add listeners, keys with "-" and "role" set
 * attributes, and all others set properties.
 * @param {string} tag
 * @param {Record<string, any>} [settings]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any}
 */
export function make(tag, settings = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.includes("-") || name === "role") element.setAttribute(name, String(value));
    else element[name] = value;
  }
  for (const child of children) if (child || child === "") element.append(child);
  return element;
}

/**
 * Make a table. Cells that are not elements `td` or `th` are put into a `td`.
 * @param {(string | Element)[]} heads @param {any[][]} rows
 */
export function table(heads, rows) {
  const in_ = (tag, settings, one) =>
    one instanceof HTMLTableCellElement ? one : make(tag, settings, one);
  const head = heads.map((one) => in_("th", { scope: "col" }, one));
  const body = rows.map((cells) => make("tr", {}, ...cells.map((one) => in_("td", {}, one))));
  return make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body));
}

/** Let a wide element be scrolled, also by keys. @param {string} label @param {Element} inside */
export function scrolling(label, inside) {
  const about = { className: "scroll", tabIndex: 0, role: "region", "aria-label": label };
  return make("div", about, inside);
}

/** Show who did what with an answer. @param {string} title @param {any[]} events */
export function historyOf(title, events) {
  return make("details", { open: true }, make("summary", {}, `History (${events.length})`), history(`History of ${title}`, events));
}

/** Make a button. @param {string | Node} content @param {(event: any) => any} onclick @param {object} [more] */
export function button(content, onclick, more = {}) {
  return make("button", { type: "button", onclick, ...more }, content);
}

/** Return the page's element with this id. @param {string} id @returns {any} */
export function byId(id) {
  return document.getElementById(id);
}

/**
 * Show HTML that the server has cleaned. Only this function turns a text into elements.
 * @param {Element} element @param {string} html the field `html` or `…_html` of a server's answer
 */
export function showCleanedHtml(element, html) {
  element.innerHTML = html;
  /** @type {NodeListOf<HTMLAnchorElement>} */
  const links = element.querySelectorAll("a[href]");
  for (const link of links) {
    link.setAttribute("target", "_blank");
    link.setAttribute("rel", "noopener noreferrer");
    // The link's text is a student's, so the place to which it leads stands behind it.
    link.setAttribute("data-leads-to", new URL(link.href).host || link.href);
  }
  // Put the author's headings below the page's own, whatever their levels are. The scripts find the
  // page's elements by their ids, so a heading keeps none.
  for (const heading of element.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    heading.setAttribute("aria-level", "3");
    heading.removeAttribute("id");
  }
}

/** @type {Map<string, Promise<{html: string}>>} */
const rendered = new Map();

/**
 * Make an element with a grader's text. The server sets its formulas and `code`; until it answers,
 * the text stands as it was typed.
 * @param {string} tag @param {string} className @param {string} text
 */
export function withFormulas(tag, className, text) {
  const element = make(tag, { className }, text);
  if (/[$`]/.test(text)) {
    if (!rendered.has(text)) rendered.set(text, ask(["preview"], { text }));
    rendered.get(text)?.then(
      ({ html }) => showCleanedHtml(element, html.replace(/^<p>|<\/p>\s*$/g, "")),
      () => rendered.delete(text),
    );
  }
  return element;
}

/** Let pictures in an answer be enlarged by click or Enter. @param {Element} element @param {string} name */
export function enlargePictures(element, name) {
  const pictures = [...element.querySelectorAll("img")];
  pictures.forEach((picture, index) => {
    if (!picture.alt) picture.alt = pictures.length > 1 ? `${name} ${index + 1}` : name;
    const large = () => make("img", { src: picture.src, alt: picture.alt });
    const open = () => dialog("Picture", [large()], { className: "large" });
    const frame = button("", open, { className: "enlarge", title: "Enlarge" });
    picture.replaceWith(frame);
    frame.append(picture);
  });
}

/**
 * Open a dialog, and return the value of the button that closed it; "" for Esc.
 * @param {string} title
 * @param {(Node | string)[]} content
 * @param {{className?: string, buttons?: [string, string?, string?][], check?: (value: string) => any, calm?: boolean}} [settings]
 *   `buttons`: text, class and value of each. `check` may return false to keep the dialog open. A
 *   `calm` dialog opens unexpectedly, so no button has the focus and typing presses none.
 * @returns {Promise<string>}
 */
export function dialog(title, content, settings = {}) {
  const { className = "", buttons = [["Close", "main"]], check = () => true, calm } = settings;
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  return new Promise((resolve) => {
    const id = `dialog-${document.querySelectorAll("dialog").length}`;
    const heading = make("h2", { id }, title);
    const close = async (value) => {
      if ((await check(value)) === false) return;
      // Without this, the next key goes to a field of the dialog until the page is drawn again.
      if (box.contains(document.activeElement))
        /** @type {HTMLElement} */ (document.activeElement).blur();
      box.close(value);
    };
    const box = make(
      "dialog",
      {
        className,
        "aria-labelledby": id,
        onclose: () => {
          const value = box.returnValue;
          box.remove();
          before?.focus?.();
          resolve(value);
        },
        // Do not use the event "cancel": a browser closes the dialog at the second Esc in any case.
        onkeydown: (event) => {
          if (event.key !== "Escape" || event.isComposing) return;
          event.preventDefault();
          close("");
        },
      },
      heading,
      make(
        "div",
        { className: "inside", tabIndex: 0, role: "group", "aria-labelledby": id },
        ...content,
      ),
      make(
        "p",
        { className: "buttons" },
        ...buttons.map(([text, kind = "", value = text]) =>
          button(text, () => close(value), { className: kind }),
        ),
      ),
    );
    document.body.append(box);
    box.showModal();
    const first = box.querySelector("[autofocus]") ?? box.querySelector("button.main");
    (calm ? box.querySelector(".inside") : first)?.focus();
  });
}

/** Resolves when no field has the focus, so that a dialog does not interrupt typing. */
export async function notTyping() {
  while (document.activeElement?.matches("textarea, input:not([type=checkbox])")) {
    await new Promise((resolve) =>
      document.activeElement?.addEventListener("blur", resolve, { once: true }),
    );
  }
}

/**
 * Show a message, which screen readers read aloud. With a link or a button it stays until it is
 * closed or another message comes.
 * @param {string} text @param {(Node | string)[]} more
 */
export function say(text, ...more) {
  const said = byId("said");
  const hide = () => said.classList.remove("shown");
  const close = more.length ? [" ", button("Close", hide)] : [];
  said.replaceChildren(text, ...more, ...close);
  said.classList.add("shown");
  clearTimeout(sayTimer);
  if (!more.length) sayTimer = setTimeout(hide, 5_000);
}
/** @type {any} */
let sayTimer;

/** Put commas between elements. @param {(Node | string)[]} elements @returns {(Node | string)[]} */
export const listed = (elements) => elements.flatMap((one, index) => (index ? [", ", one] : [one]));

/** Return names, as people typed them, with commas. @param {string[]} names */
export const listedNames = (names) => listed(names.map((name) => make("bdi", {}, name)));

/** Format points. @param {number | null | undefined} value @param {boolean} [signed] */
export function points(value, signed = false) {
  if (value === null || value === undefined) return "–";
  const text = String(Math.round(Math.abs(value) * 1000) / 1000);
  return (value < 0 ? "−" : signed && value > 0 ? "+" : "") + text;
}

/** Format a time. @param {string | null} at in ISO format, UTC */
export function when(at) {
  if (!at) return "";
  const date = new Date(/Z|[+-]\d\d:\d\d$/.test(at) ? at : `${at}Z`);
  return date.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

/** Make the table of an answer's history. @param {string} label @param {any[]} events */
export function history(label, events) {
  const rows = events.map((event) => [
    when(event.at),
    make("bdi", {}, event.grader),
    event.action,
    event.score_before === event.score_after ? "" : `${points(event.score_before)} → ${points(event.score_after)}`,
    event.what || "",
  ]);
  return scrolling(label, table(["When", "Who", "Action", "Score", "What"], rows));
}

/** Format a count with its noun: "1 answer", "2 answers". @param {number} count @param {string} one @param {string} [many] */
export function counted(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}
