// The page's own script: filters, the case that is open, and the figures when they come into sight.
"use strict";
(() => {
  const { make, key, title } = Matrix;
  const root = document.documentElement;

  /** A group of check boxes; `entries` are [value, label content...]. */
  function boxes(name, legend, entries, state) {
    const labels = entries.map(([value, ...content]) => {
      const box = make("input", { type: "checkbox", name, value });
      box.checked = state[name].includes(value);
      return make("label", { class: "chip" }, box, ...content);
    });
    return make("fieldset", { class: name }, make("legend", {}, legend), make("div", { class: "chips" }, ...labels));
  }

  function filters(index, rows) {
    const state = State.get();
    const counts = new Map();
    for (const row of rows) for (const cell of row.cells) {
      if (!cell) continue;
      for (const name of [index.statuses[cell.status].name, cell.state]) if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const sign = (name, text) => make("span", { class: `cell ${name}`, "aria-hidden": "true" }, text);
    const number = (name) => make("span", { class: "note" }, String(counts.get(name) ?? 0));
    const states = [["unexpected", sign("differs unexpected", "✗")], ["known", sign("differs known", "✗")]];
    const statuses = [
      ...states.map(([name, mark]) => [name, mark, ` ${name} `, number(name)]),
      ...index.statuses.map(({ name, sign: text }) => [name, sign(name, text), ` ${name} `, number(name)]),
    ].filter(([name]) => counts.has(name));
    const search = make("input", { type: "search", id: "q", name: "q", autocomplete: "off", spellcheck: "false", placeholder: "words of the name, sentence or source" });
    search.value = state.q;
    const reset = make("button", { type: "reset" }, "Show all");
    const form = make("form", { class: "filters", role: "search", "aria-label": "Filter the matrix" },
      make("div", { class: "line" }, make("label", { for: "q" }, "Search "), search, reset, make("output", { id: "found", role: "status" })),
      boxes("status", "With a verdict that is", statuses, state),
      make("details", { class: "more" }, make("summary", {}, "Adapters and tags"),
        boxes("adapter", "Adapters", index.columns.map((column) => [key(column), ` ${title(column)}`]), state),
        index.tags.length ? boxes("tag", "Tags", index.tags.map((tag) => [tag, ` ${tag}`]), state) : null));
    if (state.adapter.length || state.tag.length) form.querySelector("details").open = true;
    const read = () => {
      const given = new FormData(form);
      State.update({ q: search.value, status: given.getAll("status"), adapter: given.getAll("adapter"), tag: given.getAll("tag") });
    };
    form.addEventListener("input", read);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(read));
    return form;
  }

  /** The form as the address says, after a step back. */
  function refill(form, state) {
    if (form.elements.q.value !== state.q) form.elements.q.value = state.q;
    for (const box of form.querySelectorAll("input[type=checkbox]")) box.checked = state[box.name].includes(box.value);
  }

  function cases(index, matrix) {
    const dialog = document.getElementById("case");
    let shown = "";
    const rowOf = (state) => {
      const quantity = state.on.split("@")[2] ?? "output";
      const found = matrix.rows.filter((row) => row.name === state.case);
      return found.find((row) => row.quantity === quantity) ?? found[0];
    };
    const button = (words, act, label) => {
      const element = make("button", { type: "button", "aria-label": label ?? null }, words);
      if (act) element.addEventListener("click", act); else element.disabled = true;
      return element;
    };
    async function open(state) {
      const row = rowOf(state);
      let chosen = null;
      if (!row) {
        dialog.replaceChildren(make("h2", { id: "case-title" }, state.case), make("p", {}, "This record has no such case."), button("Close", () => dialog.close()));
      } else {
        const names = [...new Set(matrix.shown().map((other) => other.name))];
        const place = names.indexOf(row.name);
        const step = (to) => (names[to] === undefined ? null : () => State.update({ case: names[to] }, { push: true }));
        chosen = await CaseView.fill(dialog, row, index, state.on, {
          before: button("‹", place > 0 ? step(place - 1) : null, "Case before"),
          after: button("›", place >= 0 ? step(place + 1) : null, "Next case"),
          close: button("Close", () => dialog.close()),
        });
      }
      if (!dialog.open) dialog.showModal();
      dialog.querySelector("#case-title").focus({ preventScroll: true });
      dialog.scrollTop = 0;
      chosen?.scrollIntoView({ block: chosen.offsetHeight > dialog.clientHeight ? "start" : "center" });
    }
    dialog.addEventListener("close", () => {
      if (State.get().case) State.update({ case: "", on: "" }, { push: true });
      matrix.focus();
    });
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    return (state) => {
      const wanted = `${state.case}\n${state.on}`;
      if (wanted === shown) return;
      shown = wanted;
      if (state.case) open(state); else if (dialog.open) dialog.close();
    };
  }

  /** Charts are drawn when they come into sight, and again in another theme. */
  function figures(index) {
    if (typeof Charts === "undefined") return;
    const draw = (element) => {
      const name = element.dataset.figure;
      if (typeof Charts[name] !== "function" || !index.figures[name]) return;
      element.replaceChildren();
      element.dataset.drawn = "";
      Charts[name](element, index.figures[name]);
    };
    const all = [...document.querySelectorAll("[data-figure]")];
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting && entry.target.dataset.drawn === undefined) draw(entry.target);
    }, { rootMargin: "300px" });
    for (const element of all) { element.hidden = false; seen.observe(element); }
    const redraw = () => { for (const element of all) if (element.dataset.drawn !== undefined) draw(element); };
    document.addEventListener("themechange", redraw);
    window.addEventListener("beforeprint", () => { for (const element of all) if (element.dataset.drawn === undefined) draw(element); });
  }

  /** Links of the page keep the filters: sections are scrolled to, cases are opened. */
  function links() {
    document.addEventListener("click", (event) => {
      const link = event.target.closest('nav a[href^="#"], a.skip, a[data-case]');
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (link.dataset.case !== undefined) {
        const given = new URLSearchParams(link.hash.slice(1));
        State.update({ case: given.get("case") ?? "", on: given.get("on") ?? "" }, { push: true });
        return;
      }
      const section = document.getElementById(link.hash.slice(1));
      section.scrollIntoView();
      section.tabIndex = -1;
      section.focus({ preventScroll: true });
    });
  }

  async function start() {
    const index = await Data.index();
    const live = document.getElementById("live");
    const open = (row, column) => {
      const quantity = row.quantity === "output" ? "" : `@${row.quantity}`;
      State.update({ case: row.name, on: column ? key(column) + quantity : "" }, { push: true });
    };
    const matrix = Matrix.create(index, open);
    const form = filters(index, matrix.rows);
    const help = make("p", { id: "matrix-help", class: "note" }, "Choose a cell to open the case. Arrow keys move, Enter opens.");
    live.append(form, help, matrix.element);
    live.hidden = false;
    const showCase = cases(index, matrix);
    let filtered = "";
    const show = (state) => {
      const wanted = JSON.stringify([state.q, state.status, state.adapter, state.tag]);
      if (wanted !== filtered) {
        filtered = wanted;
        refill(form, state);
        const { shown, of } = matrix.apply(state);
        form.querySelector("#found").textContent = shown.length === of ? `${of} rows` : `${shown.length} of ${of} rows`;
      }
      showCase(state);
    };
    State.listen(show);
    show(State.get());
    links();
    figures(index);
    root.dataset.ready = "";
  }

  /** A browser that cannot open the data gets what one without JavaScript gets. */
  start().catch((error) => {
    const plain = document.querySelector("#matrix noscript");
    const note = make("p", { class: "note" }, `The interactive matrix needs a newer browser (${error.message}); this is the plain one.`);
    const content = new DOMParser().parseFromString(plain.textContent, "text/html").body;
    plain.replaceWith(note, ...content.childNodes);
  });
})();
