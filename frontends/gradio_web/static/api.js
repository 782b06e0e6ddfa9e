// The server's JSON routes, one function each. What goes wrong is thrown as an `ApiError` with a sentence.

export class ApiError extends Error {
  constructor(status, code, sentence) {
    super(sentence);
    this.status = status;
    this.code = code;
  }
}

/** A path with ids in it. What is no id comes from an address that somebody made up: it could lead anywhere. */
function at(words, ...ids) {
  if (!ids.every((id) => /^[\w-]+$/.test(id))) throw new ApiError(404, "not_found", "There is no such conversation.");
  return String.raw({ raw: words }, ...ids);
}

export class Api {
  constructor(base) {
    this.base = base;
  }

  page = (conversation, before = null) =>
    this.#call("GET", at`conversations/${conversation}/messages`, { before });
  health = () => this.#call("GET", "health");
  message = (message) => this.#call("GET", at`messages/${message}`);
  /** `wanted`: {archived, pinned, after}. */
  conversations = (wanted) => this.#call("GET", "conversations", wanted);
  search = (q, after = null) => this.#call("GET", "search", { q, after });
  /** `changes`: {title, pinned, archived, settings}, those that are to change. */
  change = (conversation, changes) => this.#call("PATCH", at`conversations/${conversation}`, {}, changes);
  delete = (conversation) => this.#call("DELETE", at`conversations/${conversation}`);
  undelete = (conversation) => this.#call("POST", at`conversations/${conversation}/undelete`);
  moveHead = (conversation, message_id) =>
    this.#call("POST", at`conversations/${conversation}/head`, {}, { message_id });
  stop = (conversation) => this.#call("POST", at`conversations/${conversation}/stop`);
  undo = (conversation) => this.#call("POST", at`conversations/${conversation}/undo`);
  /** `feedback`: {rating, comment, reasons}, or null to take the vote back. */
  rate = (message, feedback) =>
    this.#call("PUT", at`messages/${message}/feedback`, {}, feedback ?? { rating: null });
  edit = (message, text) => this.#call("POST", at`messages/${message}/edit`, {}, { text });
  regenerate = (message) => this.#call("POST", at`messages/${message}/regenerate`);
  continue = (message) => this.#call("POST", at`messages/${message}/continue`);

  fileAddress = (message, index) => this.base + at`messages/${message}/files/${index}`;

  /** Numbers by the days of this browser's clock. */
  statistics = (days) =>
    this.#call("GET", "statistics", { days, utc_offset_minutes: -new Date().getTimezoneOffset() });

  /** `query`: {format, rating}. */
  exportAllAddress = (query) => this.#address("export", query);

  exportAddress = (conversation, format) =>
    this.#address(at`conversations/${conversation}/export`, { format });

  /** Where the event stream of `conversation` (null: none) and of the list is, from a position on. */
  eventsAddress = (conversation, after) => this.#address("events", { conversation, list: 1, after });

  #address(path, query) {
    const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
    const search = new URLSearchParams(given).toString();
    return this.base + path + (search ? `?${search}` : "");
  }

  async #call(method, path, query = {}, body = undefined) {
    const options = { method, headers: { Accept: "application/json" } };
    if (body !== undefined) {
      options.headers["Content-Type"] = "application/json";
      options.body = JSON.stringify(body);
    }
    let reply;
    try {
      reply = await fetch(this.#address(path, query), options);
    } catch {
      throw new ApiError(0, "unreachable", "The server can't be reached.");
    }
    const isJson = (reply.headers.get("Content-Type") ?? "").startsWith("application/json");
    const result = isJson ? await reply.json() : null;
    if (reply.ok) return result;
    const sentence = result?.sentence ?? `The server answered with status ${reply.status}.`;
    throw new ApiError(reply.status, result?.code, sentence);
  }
}
