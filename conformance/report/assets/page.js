// The page's own script: answers, the case that is open, and the figures when they come into sight.
"use strict";
(() => {
  const { make, key } = Matrix;
  const root = document.documentElement;

  function cases(index, matrix) {
    const dialog = document.getElementById("case");
    let shown = "";
    const rowOf = (state) => {
      const found = matrix.rows.filter((row) => row.name === state.case);
      return found.find(({ quantity }) => quantity !== "output" && state.on.endsWith(`@${quantity}`)) ?? found.find(({ quantity }) => quantity === "output") ?? found[0];
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

  /** Links of the page keep what they do not say: sections are scrolled to, cases are opened, tiles filter. */
  function links() {
    document.addEventListener("click", (event) => {
      const link = event.target.closest('a[href^="#"]');
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !document.documentElement.contains(link)) return;
      event.preventDefault();
      const given = new URLSearchParams(link.hash.slice(1));
      if (link.dataset.case !== undefined) State.update({ case: given.get("case") ?? "", on: given.get("on") ?? "" }, { push: true });
      else if (!link.hash.includes("=")) scrollTo(State.update({ section: link.hash.slice(1) }, { push: true }).section);
      else scrollTo(State.update({ section: given.get("section") ?? (given.has("status") ? "matrix" : ""), q: given.get("q") ?? "", status: given.getAll("status"), feature: given.getAll("feature"), adapter: given.getAll("adapter"), tag: [] }, { push: true }).section);
    });
  }

  function scrollTo(id) {
    const section = document.getElementById(id);
    if (!section) return;
    section.scrollIntoView();
    section.tabIndex = -1;
    section.focus({ preventScroll: true });
    settle(section);
  }

  /** Stay with a section while figures round it are drawn and the page grows, until the reader moves. */
  const MOVES = ["wheel", "touchmove", "keydown", "pointerdown"];
  let settled = () => {};
  function settle(section) {
    settled();
    const growing = new ResizeObserver(() => section.scrollIntoView());
    const timer = setTimeout(() => settled(), 2000);
    settled = () => {
      growing.disconnect();
      clearTimeout(timer);
      for (const move of MOVES) window.removeEventListener(move, settled);
      settled = () => {};
    };
    growing.observe(document.body);
    for (const move of MOVES) window.addEventListener(move, settled, { passive: true });
  }

  /** What the search asks, answered; and the cell of the table that the address names, explained below its row. */
  function answering(index, answers) {
    const panel = document.getElementById("answers");
    const table = document.querySelector("#can-use table");
    let detail = null;
    return (state) => {
      const parts = answers.to(Question.parse(state.q, index));
      panel.hidden = !parts.length;
      panel.lastElementChild.replaceChildren(...parts);
      detail?.remove();
      detail = null;
      for (const cell of table.querySelectorAll(".chosen")) cell.classList.remove("chosen");
      const feature = index.answers.features.findIndex(([name]) => name === state.feature[0]);
      if (state.feature.length !== 1 || state.q || feature < 0) return;
      const row = [...table.tBodies[0].rows].find((one) => one.cells[0].textContent === state.feature[0]);
      const columns = index.columns.flatMap((column, number) => (!state.adapter.length || state.adapter.includes(key(column)) ? [number] : []));
      if (!row || !columns.length) return;
      if (state.adapter.length) for (const column of columns) row.cells[column + 1].classList.add("chosen");
      const close = make("button", { type: "button", "aria-label": "Close the reasons" }, "Close");
      close.addEventListener("click", () => State.update({ feature: [], adapter: [] }, { push: true }));
      detail = make("tr", { class: "detail" }, make("td", { colspan: index.columns.length + 1 }, make("div", {}, close, answers.support([feature], columns))));
      row.after(detail);
      if (!state.section) detail.scrollIntoView({ block: "nearest" });
    };
  }

  async function start() {
    const index = await Data.index();
    const live = document.getElementById("live");
    const open = (row, column) => {
      const quantity = row.quantity === "output" ? "" : `@${row.quantity}`;
      State.update({ case: row.name, on: column ? key(column) + quantity : "" }, { push: true });
    };
    const rows = Matrix.rowsOf(index);
    const answers = Answers.create(index, rows);
    const matrix = Matrix.create(index, rows, answers.has, open);
    const filters = Filters.create(index, rows);
    const help = make("p", { id: "matrix-help", class: "note" }, "Choose a cell to open the case. Arrow keys move, Enter opens.");
    live.append(filters.form, help, matrix.element);
    live.hidden = false;
    const showCase = cases(index, matrix), answer = answering(index, answers);
    let filtered = "", section = "";
    const show = (state) => {
      const wanted = JSON.stringify([state.q, state.status, state.feature, state.adapter, state.tag]);
      if (wanted !== filtered) {
        filtered = wanted;
        filters.fill(state);
        filters.tell(matrix.apply(state), state);
        answer(state);
      }
      if (state.section !== section) scrollTo(state.section);
      section = state.section;
      showCase(state);
    };
    State.listen(show);
    show(State.get());
    links();
    Causes.listen(index, matrix);
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
