// A case: its sentence, pictures and arrays; then what every adapter made of it, and the program that shows it again.
"use strict";
const CaseView = (() => {
  const { make, counted, key, title } = Matrix;
  const ARRAYS = [["input", "Input"], ["kernel", "Kernel"], ["bias", "Bias"], ["expected", "Expected"], ["gradients", "Cotangent"]];

  /** Copy a text; a page from disk may have no clipboard, then through a selection. */
  async function copy(text, button) {
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make("textarea", { readonly: true, class: "offscreen", "aria-hidden": "true" });
      area.value = text;
      button.after(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
      button.focus();
    }
    const before = button.dataset.words ??= button.textContent;
    button.textContent = done ? "Copied" : "Select and copy it";
    setTimeout(() => { button.textContent = before; }, 1500);
    return done;
  }

  function copied(text, words) {
    const button = make("button", { type: "button", class: "copy" }, words);
    button.addEventListener("click", () => copy(typeof text === "function" ? text() : text, button));
    return button;
  }

  /** A picture; where it cannot be made the case is still to be read. */
  function drawn(name, ...given) {
    if (typeof Draw === "undefined" || typeof Draw[name] !== "function") return null;
    try {
      return Draw[name](...given);
    } catch (error) {
      return make("p", { class: "note" }, `Not drawn: ${error.message}`);
    }
  }

  /** A text with its addresses as links. */
  function linked(text) {
    const parts = String(text).split(/(https?:\/\/[^\s<>"']*[\w/])/);
    return make("span", { class: "source" }, ...parts.map((part, number) => (number % 2 ? make("a", { href: part, rel: "noreferrer" }, part) : part)));
  }

  function section(words, ...content) {
    const parts = content.filter((part) => part);
    return parts.length ? make("section", {}, make("h3", {}, words), ...parts) : null;
  }

  function facts(row, line, index) {
    const shape = (array) => (array ? `[${array.shape.join(", ")}]${array.dtype ? ` in ${array.dtype}` : ""}` : "none");
    const pairs = [
      ["dtype", line.dtype], ["input", shape(line.input)], ["kernel", shape(line.kernel)], ["bias", line.bias ? shape(line.bias) : "none"],
      ["groups", line.geometry?.groups], ["output", line.must_fail ? "must be refused" : shape(line.expected)],
      ["written as", line.native ? Object.entries(line.native).map(([name, native]) => `${name} ${spelled(native)}`).join() : null],
      ["tags", row.tags.map((tag) => index.tags[tag]).join(", ") || null],
    ];
    const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
    return make("dl", { class: "facts" }, ...shown.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, String(value)))));
  }

  const spelled = (native) => Object.entries(native).map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(", ");

  function arrays(line) {
    return ARRAYS.map(([name, words]) => {
      const array = line[name];
      if (!array) return null;
      const body = make("div", {});
      const details = make("details", { class: "array" }, make("summary", {}, `${words} [${array.shape.join(", ")}]`), body);
      const size = array.shape.reduce((a, b) => a * b, 1);
      const fillIn = () => {
        if (body.childNodes.length) return;
        if (array.left_out) body.append(make("p", { class: "note" }, `${size} elements are left out of this page. The command conformance show prints the case.`));
        if (array.make) body.append(make("p", { class: "note" }, `Made: ${spelled(array.make)}`));
        const picture = array.left_out ? null : drawn("array", array, words);
        if (picture) body.append(picture);
        else if (!array.left_out && array.values !== undefined) body.append(make("pre", {}, JSON.stringify(array.values)));
      };
      details.addEventListener("toggle", () => { if (details.open) fillIn(); });
      if (size <= 64 && name !== "gradients") { details.open = true; fillIn(); }
      return details;
    }).filter(Boolean);
  }

  /** What the engine itself says: texts of many lines, which have a place of their own. */
  const TEXTS = ["message", "traceback"];

  /** The facts of a verdict as they come: the words are those of every other report. */
  function explained(verdict) {
    const rows = (verdict.facts ?? []).filter(([name]) => !TEXTS.includes(name));
    return rows.length ? make("dl", { class: "explained" }, ...rows.flatMap(([name, sentence]) => [make("dt", {}, name), make("dd", {}, sentence)])) : null;
  }

  /** The program of a column, or the sentence why there is none. */
  async function program(detail, index, number) {
    const data = detail.programs;
    const chosen = data ? data.skeletons[number] : null;
    if (typeof chosen === "string") return { reason: chosen };
    if (chosen === null || chosen === undefined) return { reason: "There is no program for an engine of one's own." };
    const skeletons = await Data.skeletons();
    const native = data.natives[index.columns[number].convention];
    return { text: Program.fill(skeletons[chosen], detail.line, data, native) };
  }

  async function filled(body, verdict, detail, index) {
    const { line } = detail;
    const native = detail.programs?.natives?.[index.columns[verdict.column].convention];
    const parts = [explained(verdict)];
    if (native && typeof native === "object") parts.push(make("p", { class: "asked" }, "asked for: ", make("code", {}, spelled(native))));
    if (verdict.got) {
      const expected = verdict.quantity === "output" ? line.expected : null;
      const start = verdict.got.start;
      parts.push(make("div", { class: "pictures" },
        drawn("error", verdict.got, expected ?? null, verdict.index ?? null),
        drawn("array", verdict.got, start ? `Got, from [${start.join(", ")}]` : "Got")));
    }
    for (const [name, text] of verdict.facts ?? []) if (TEXTS.includes(name)) parts.push(make("pre", { tabindex: 0, "aria-label": name }, text));
    if (verdict.reproduce) parts.push(make("p", { class: "reproduce" }, make("code", {}, verdict.reproduce), " ", copied(verdict.reproduce, "Copy command")));
    const { text, reason } = await program(detail, index, verdict.column);
    if (text) parts.push(make("div", { class: "program" }, make("div", { class: "bar" }, make("h4", {}, "Program"), copied(text, "Copy program")), make("pre", { tabindex: 0, "aria-label": `Program for ${title(index.columns[verdict.column])}` }, text)));
    else parts.push(make("p", { class: "note" }, `No program: ${reason}`));
    body.replaceChildren(...parts.filter(Boolean));
  }

  function verdictOf(verdict, detail, index, open) {
    const status = index.statuses.find((entry) => entry.name === verdict.status);
    const state = verdict.unexpected ? "new" : verdict.known ? "known" : "";
    const look = verdict.unexpected ? "unexpected" : state;
    const column = index.columns[verdict.column];
    const body = make("div", { class: "body" });
    const details = make("details", { class: `verdict-of ${look}`, "data-on": `${key(column)}${verdict.quantity === "output" ? "" : `@${verdict.quantity}`}` },
      make("summary", {},
        make("span", { class: `cell ${verdict.status} ${look}`, "aria-hidden": "true" }, status.sign), " ",
        make("b", {}, title(column)), ` ${verdict.quantity === "output" ? "" : `${verdict.quantity} `}${verdict.status}${state ? `, ${state}` : ""} `,
        make("span", { class: "note" }, verdict.summary ?? "")), body);
    let begun = false;
    const begin = () => { if (!begun) { begun = true; filled(body, verdict, detail, index); } };
    details.addEventListener("toggle", () => { if (details.open) begin(); });
    if (open) { details.open = true; begin(); }
    return details;
  }

  /** Everything of a case into the dialog. `on` is the column and quantity to open, which is returned; without one, what is unexpected. */
  async function fill(dialog, row, index, on, around) {
    const detail = await Data.detail(row.number, index.piece);
    const { line } = detail;
    const failing = (verdict) => (verdict.unexpected ? 2 : index.statuses.find(({ name }) => name === verdict.status).fails ? 1 : 0);
    const verdicts = detail.verdicts.toSorted((a, b) => failing(b) - failing(a) || a.column - b.column || (a.quantity < b.quantity) - (a.quantity > b.quantity));
    line.case = row.name;
    line.summary = row.summary;
    const geometry = line.geometry;
    const first = verdicts.find((verdict) => verdict.unexpected);
    const isOpen = (verdict) => {
      const name = key(index.columns[verdict.column]) + (verdict.quantity === "output" ? "" : `@${verdict.quantity}`);
      return on ? name === on : verdict === first;
    };
    const list = verdicts.map((verdict) => verdictOf(verdict, detail, index, isOpen(verdict)));
    const apart = list.filter((entry, place) => !entry.open && verdicts[place].quantity === "gradients" && !failing(verdicts[place]));
    const gradients = apart.length ? make("details", { class: "gradients" }, make("summary", {}, counted(apart.length, "check") + " of gradients, without a failure"), ...apart) : null;
    const link = copied(() => location.href, "Copy link");
    dialog.replaceChildren(
      make("div", { class: "top" },
        make("h2", { id: "case-title", tabindex: -1 }, row.name),
        make("div", { class: "buttons" }, around.before, around.after, link, around.close)),
      make("p", { class: "summary" }, line.summary, " ", linked(line.source)),
      facts(row, line, index),
      make("div", { class: "columns" },
        make("div", {},
          section("Geometry", geometry ? drawn("geometry", geometry) : null),
          section("Overlap", geometry ? drawn("overlap", geometry) : null),
          section("Arrays", ...arrays(line))),
        make("div", {}, section(counted(verdicts.length, "check"), ...list.filter((entry) => !apart.includes(entry)), gradients) ?? make("p", {}, "No check."))));
    dialog.scrollTop = 0;
    return on ? list.find((entry) => entry.open) : null;
  }

  /** The signed error of one column and quantity of a case; null where none can be drawn. */
  async function error(row, index, on) {
    const detail = await Data.detail(row.number, index.piece);
    const verdict = detail.verdicts.find((one) => `${key(index.columns[one.column])}${one.quantity === "output" ? "" : `@${one.quantity}`}` === on);
    if (!verdict?.got) return null;
    return drawn("error", verdict.got, (verdict.quantity === "output" && detail.line.expected) || null, verdict.index ?? null);
  }

  return { fill, program, copy, linked, error };
})();
