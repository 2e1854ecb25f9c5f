// @ts-check
/** Requests to the desk's server. Every error is a `Failure` that says what to do. */

const { base, assignment, cell } = document.body.dataset;

/** The grade id of this page's question; "" on pages about all questions. */
export const CELL = cell ?? "";
export const ASSIGNMENT = assignment ?? "";

/** Whether this page is for second marks: it gets no first mark, and changes none. */
export const SECOND = Boolean(document.body.dataset.second);
export const QUESTION = SECOND ? "second" : "question";

/** A failed request. `status` is 0 if the server did not answer. */
export class Failure extends Error {
  /** @param {string} message @param {number} status @param {Record<string, any>} body */
  constructor(message, status, body = {}) {
    super(message);
    this.status = status;
    this.body = body;
  }

  /** Whether the same request may succeed later without any change. */
  get passes() {
    return [0, 429, 502, 503, 504].includes(this.status);
  }

  /** Whether the login has ended. */
  get login() {
    return this.status === 401 || this.status === 403;
  }
}

/** Return the address of a page or of the API. Every part is quoted. @param {string[]} parts */
export function address(...parts) {
  return `${base}${[ASSIGNMENT, ...parts].map(encodeURIComponent).join("/")}`;
}

/** Return the address of the page where an answer is graded. @param {string} of @param {string} [student] */
export function gradingPage(of, student) {
  const page = address("grade", of);
  return student === undefined ? page : `${page}?student=${encodeURIComponent(student)}`;
}

/** Return the address of the page where any answer is read and commented on. @param {string} of @param {string} student */
export function readingPage(of, student) {
  return `${address("read", of)}?student=${encodeURIComponent(student)}`;
}

/** The address of the login page, which opens in another tab. */
export const LOGIN = `${(base ?? "").replace(/hw-grading\/$/, "")}login`;

/** @param {string} name */
function cookie(name) {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

/**
 * Send a request to the API, and return its answer.
 * @param {string[]} parts of the address below `api/`
 * @param {object} [body] data of a POST; without it the request is a GET
 * @param {{seconds?: number, keepalive?: boolean}} [how] how long to wait, and whether to send it
 *   even if the page is left
 * @returns {Promise<any>}
 */
export async function ask(parts, body, { seconds = 60, keepalive = false } = {}) {
  let answer;
  try {
    answer = await fetch(address("api", ...parts), {
      method: body === undefined ? "GET" : "POST",
      headers: { "Content-Type": "application/json", "X-XSRFToken": cookie("_xsrf") },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "same-origin",
      redirect: "manual", // do not follow to a login page
      keepalive,
      signal: AbortSignal.timeout(seconds * 1000),
    });
  } catch (error) {
    const slow = error instanceof DOMException && error.name === "TimeoutError";
    const why = slow ? `has not answered for ${seconds} s` : "does not answer";
    throw new Failure(`The server ${why}.`, 0);
  }
  if (answer.type === "opaqueredirect") throw new Failure("Your login has ended.", 403);
  let content = {};
  try {
    content = await answer.json();
  } catch {
    if (answer.ok) throw new Failure("The connection to the server broke while it answered.", 0);
  }
  if (answer.ok) return content;
  const known = { 403: "Your login has ended.", 404: "This address does not exist on the server." };
  const message = content.message || known[answer.status] || `The server says ${answer.status}.`;
  throw new Failure(message, answer.status, content);
}
