// @ts-check
/** Requests to the desk's server. Every failure is a `Failure` that says what to do. */

const { base, assignment, cell } = document.body.dataset;

/** The grade id of the question of this page, "" on pages of all questions. */
export const CELL = cell ?? "";
export const ASSIGNMENT = assignment ?? "";

/** A request that was not done. `status` is 0 where the server did not answer. */
export class Failure extends Error {
  /** @param {string} message @param {number} status @param {Record<string, any>} body */
  constructor(message, status, body = {}) {
    super(message);
    this.status = status;
    this.body = body;
  }

  /** Whether the same request may pass later, without anybody's doing. */
  get passes() {
    return [0, 429, 502, 503, 504].includes(this.status);
  }

  /** Whether the login has ended. */
  get login() {
    return this.status === 401 || this.status === 403;
  }
}

/** The address of a page or of the interface; every part is quoted. @param {string[]} parts */
export function address(...parts) {
  return `${base}${[ASSIGNMENT, ...parts].map(encodeURIComponent).join("/")}`;
}

/** The page on which an answer is graded. @param {string} of @param {string} [student] */
export function gradingPage(of, student) {
  const page = address("grade", of);
  return student === undefined ? page : `${page}?student=${encodeURIComponent(student)}`;
}

/** Where one logs in, in another tab. */
export const LOGIN = `${(base ?? "").replace(/hw-grading\/$/, "")}login`;

/** @param {string} name */
function cookie(name) {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

const SECONDS_TO_WAIT = 60;

/**
 * Ask the interface, and return what it answers.
 * @param {string[]} parts of the address below `api/`
 * @param {object} [body] what is sent; without it the request is a GET
 * @returns {Promise<any>}
 */
export async function ask(parts, body) {
  let answer;
  try {
    answer = await fetch(address("api", ...parts), {
      method: body === undefined ? "GET" : "POST",
      headers: { "Content-Type": "application/json", "X-XSRFToken": cookie("_xsrf") },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "same-origin",
      redirect: "manual", // a page that asks for a password is no answer
      signal: AbortSignal.timeout(SECONDS_TO_WAIT * 1000),
    });
  } catch (error) {
    const slow = error instanceof DOMException && error.name === "TimeoutError";
    const why = slow ? `has not answered for ${SECONDS_TO_WAIT} s` : "does not answer";
    throw new Failure(`The server ${why}.`, 0);
  }
  if (answer.type === "opaqueredirect") throw new Failure("Your login has ended.", 403);
  let content = {};
  try {
    content = await answer.json();
  } catch {
    if (answer.ok) throw new Failure("The answer of the server broke off.", 0);
  }
  if (answer.ok) return content;
  const known = { 403: "Your login has ended.", 404: "The server does not know this address." };
  const message = content.message || known[answer.status] || `The server says ${answer.status}.`;
  throw new Failure(message, answer.status, content);
}
