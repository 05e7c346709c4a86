// The matrix: only the rows in sight are in the document; arrow keys go from cell to cell.
"use strict";
const Matrix = (() => {
  const ROW = 26; // pixels, as in page.css
  const AROUND = 6; // rows drawn above and below what is in sight
  const FIRST = "0".charCodeAt(0);
  const STATES = ["", "known", "new"];
  const CLASSES = { known: "known", new: "unexpected" };

  /** An element with text or children; text is never taken for markup. */
  function make(tag, attributes = {}, ...content) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === true) element.setAttribute(name, "");
      else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
    }
    element.append(...content.filter((part) => part !== null && part !== undefined));
    return element;
  }

  const counted = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
  const key = (column) => `${column.label}@${column.device}`;
  const title = (column) => (column.device === "cpu" ? column.label : `${column.label} (${column.device})`);

  /** Rows of the index as objects; each knows its words in lower case and a set of what its cells say. */
  function rowsOf(index) {
    return index.rows.map(([number, file, quantity, cells], position) => {
      const [name, summary, source, tags, features] = index.cases[number];
      const short = name.slice(name.lastIndexOf("/") + 1) + (quantity === "output" ? "" : `, ${quantity}`);
      return {
        position, number, file, quantity, name, short, summary, tags, features: new Set(features),
        words: `${name} ${quantity === "output" ? "" : quantity} ${summary} ${source}`.toLowerCase(),
        cells: Array.from(cells, (letter) => {
          if (letter === ".") return null;
          const code = letter.charCodeAt(0) - FIRST;
          return { status: Math.floor(code / 3), state: STATES[code % 3] };
        }),
      };
    });
  }

  /** `has` says whether a row has all of some features. */
  function create(index, rows, has, open) {
    const { statuses } = index;
    let columns = [], items = [], shown = [], active = { item: 0, column: 0 }, drawn = [-1, -1];
    const head = make("thead"), body = make("tbody"), group = make("colgroup");
    const table = make("table", { role: "grid", "aria-labelledby": "matrix-title", "aria-describedby": "matrix-help" }, group, head, body);
    const frame = make("div", { class: "frame" }, table);

    function matches(state, { words, features: asked, family, statuses: named }) {
      const names = index.answers.features.map(([name]) => name);
      const features = [...new Set([...state.feature.map((name) => names.indexOf(name)), ...asked])];
      const tags = new Set(state.tag.map((tag) => index.tags.indexOf(tag)));
      const wanted = new Set([...state.status, ...named]);
      const found = (cell) => cell && (wanted.has(statuses[cell.status].name) || (cell.state && wanted.has(cell.state)));
      return (row) =>
        words.every((word) => row.words.includes(word)) &&
        (!features.length || has(row, features)) &&
        (!family.length || family.some((feature) => has(row, [feature]))) &&
        (!tags.size || row.tags.some((tag) => tags.has(tag))) &&
        (!wanted.size || columns.some((column) => found(row.cells[column])));
    }

    function apply(state) {
      const chosen = new Set(state.adapter), question = Question.parse(state.q, index);
      const all = index.columns.map((_, number) => number);
      const some = all.filter((number) => chosen.has(key(index.columns[number])) || chosen.has(index.columns[number].label) || question.columns.includes(number));
      const before = columns.join();
      columns = some.length ? some : all;
      shown = rows.filter(matches(state, question));
      if (!shown.length && question.asks) shown = rows.filter(matches(state, { ...question, words: [] }));
      items = [];
      let last = null;
      for (const row of shown) {
        if (last === null || row.file !== last.file) {
          last = { file: row.file, rows: [] };
          items.push(last);
        }
        last.rows.push(row);
        items.push({ row });
      }
      active = { item: Math.min(active.item, Math.max(items.length - 1, 0)), column: Math.min(active.column, columns.length + 1) };
      if (before !== columns.join()) {
        widths();
        header();
      }
      sums();
      table.setAttribute("aria-rowcount", items.length + 3);
      table.setAttribute("aria-colcount", columns.length + 2);
      draw(true);
      return { shown, of: rows.length, columns: columns.length };
    }

    function widths() {
      group.replaceChildren(make("col", { class: "names" }), make("col", { class: "counts" }), ...columns.map(() => make("col", { class: "one" })));
      table.style.setProperty("--columns", columns.length);
    }

    /** By column, how many of these rows conform and how many fail. */
    function totals(these) {
      const passing = columns.map(() => 0), failing = columns.map(() => 0);
      for (const row of these) {
        columns.forEach((column, place) => {
          const cell = row.cells[column];
          if (!cell) return;
          if (statuses[cell.status].name === "conforms") passing[place] += 1;
          else if (statuses[cell.status].fails) failing[place] += 1;
        });
      }
      return { passing, failing };
    }

    function header() {
      const line = (name, kind) => make("tr", { class: `totals ${kind}` }, make("th", { scope: "row" }, name), make("td"), ...columns.map(() => make("td")));
      head.replaceChildren(
        make("tr", { class: "labels" },
          make("th", { scope: "col" }, "case"), make("th", { scope: "col" }, make("span", {}, "conform / fail")),
          ...columns.map((number) => make("th", { scope: "col", title: title(index.columns[number]) }, make("span", {}, title(index.columns[number]))))),
        line("conform", "conforms"), line("fail", "fails"));
      [...head.rows].forEach((row, place) => row.setAttribute("aria-rowindex", place + 1));
    }

    function sums() {
      const { passing, failing } = totals(shown);
      [passing, failing].forEach((numbers, line) => {
        const { cells } = head.rows[line + 1];
        [numbers.reduce((a, b) => a + b, 0), ...numbers].forEach((number, place) => {
          const text = String(number);
          if (cells[place + 1].textContent !== text) cells[place + 1].textContent = text;
        });
      });
    }

    /** A cell; those that say the same in one column are copies of one. */
    const models = new Map();
    function cellOf(row, number) {
      const cell = row.cells[number];
      const kind = `${number} ${cell ? `${cell.status} ${cell.state}` : ""}`;
      if (!models.has(kind)) models.set(kind, model(cell, number));
      return models.get(kind).cloneNode(true);
    }

    function model(cell, number) {
      const column = index.columns[number];
      const given = { tabindex: -1, "data-column": number };
      if (!cell) return make("td", { ...given, "aria-label": `${title(column)}: no check` });
      const { name, sign } = statuses[cell.status];
      const words = `${title(column)}: ${name}${cell.state ? `, ${cell.state}` : ""}`;
      return make("td", { ...given, class: `cell ${name} ${CLASSES[cell.state] ?? ""}`, "aria-label": words, title: words }, sign);
    }

    function rowOf(item, place) {
      const attributes = { "aria-rowindex": place + 4, "data-item": place };
      if (item.file !== undefined) {
        const { passing, failing } = item.totals ??= totals(item.rows);
        const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
        const file = index.files[item.file] || "cases";
        const th = make("th", { scope: "rowgroup", tabindex: -1, title: file }, make("span", { class: "file" }, file, " ", make("span", { class: "note" }, String(item.rows.length))));
        return make("tr", { ...attributes, class: "group" }, th, make("td", { class: "counts", tabindex: -1 }, `${sum(passing)} / ${sum(failing)}`),
          ...columns.map((number, place) => make("td", { tabindex: -1, class: failing[place] ? "some" : "none", "aria-label": `${title(index.columns[number])}: ${passing[place]} conform, ${failing[place]} fail` },
            failing[place] ? `${failing[place]}✗` : passing[place] ? String(passing[place]) : "")));
      }
      const { row } = item;
      let passing = 0, failing = 0;
      for (const number of columns) {
        const cell = row.cells[number];
        if (cell && statuses[cell.status].name === "conforms") passing += 1;
        else if (cell && statuses[cell.status].fails) failing += 1;
      }
      const name = make("th", { scope: "row", tabindex: -1, title: `${row.name}: ${row.summary}`, "aria-label": row.quantity === "output" ? row.name : `${row.name}, ${row.quantity}` }, make("span", {}, row.short), make("span", { class: "note" }, row.summary));
      const counts = make("td", { class: "counts", tabindex: -1 }, `${passing} / ${failing}`);
      const cells = columns.map((number) => cellOf(row, number));
      return make("tr", attributes, name, counts, ...cells);
    }

    function draw(force = false) {
      const height = frame.clientHeight || 600;
      const above = Math.max(0, frame.scrollTop - head.offsetHeight);
      let from = Math.max(0, Math.floor(above / ROW) - AROUND);
      let to = Math.min(items.length, from + Math.ceil(height / ROW) + 2 * AROUND);
      if (printing) [from, to] = [0, items.length];
      if (!force && from === drawn[0] && to === drawn[1]) return;
      drawn = [from, to];
      const focused = body.contains(document.activeElement);
      const spacer = (count) => {
        const row = make("tr", { class: "spacer", "aria-hidden": "true" }, make("td", { colspan: columns.length + 2 }));
        row.firstChild.style.height = `${count * ROW}px`;
        return row;
      };
      const parts = [];
      if (from > 0) parts.push(spacer(from));
      for (let place = from; place < to; place += 1) parts.push(rowOf(items[place], place));
      if (to < items.length) parts.push(spacer(items.length - to));
      if (!items.length) parts.push(make("tr", { class: "empty" }, make("td", { colspan: columns.length + 2 }, "No case matches.")));
      body.replaceChildren(...parts);
      mark(focused);
    }

    function cellAt({ item, column }) {
      const row = body.querySelector(`tr[data-item="${item}"]`);
      return row && row.cells[Math.min(column, row.cells.length - 1)];
    }

    /** The one cell that the tab key reaches. */
    function mark(focus) {
      for (const cell of body.querySelectorAll('[tabindex="0"]')) cell.tabIndex = -1;
      const cell = cellAt(active) ?? body.querySelector("tr[data-item] > *");
      if (!cell) return;
      cell.tabIndex = 0;
      if (focus) cell.focus({ preventScroll: true });
    }

    function go(item, column) {
      active = { item: Math.max(0, Math.min(items.length - 1, item)), column: Math.max(0, Math.min(columns.length + 1, column)) };
      const top = active.item * ROW, room = frame.clientHeight - head.offsetHeight;
      if (top < frame.scrollTop) frame.scrollTop = top;
      else if (top + ROW > frame.scrollTop + room) frame.scrollTop = top + ROW - room;
      draw();
      mark(true);
      const cell = cellAt(active);
      if (cell && active.column > 0) {
        const left = cell.offsetLeft, name = body.querySelector("tr[data-item] > th").offsetWidth;
        if (left - name < frame.scrollLeft) frame.scrollLeft = left - name;
        else if (left + cell.offsetWidth > frame.scrollLeft + frame.clientWidth) frame.scrollLeft = left + cell.offsetWidth - frame.clientWidth;
      }
    }

    function opened(cell) {
      const tr = cell.closest("tr[data-item]");
      const item = tr && items[Number(tr.dataset.item)];
      if (!item || !item.row) return;
      active = { item: Number(tr.dataset.item), column: cell.cellIndex };
      mark(true);
      open(item.row, cell.dataset.column === undefined ? null : index.columns[Number(cell.dataset.column)]);
    }

    function pressed(event) {
      const page = Math.max(1, Math.floor(frame.clientHeight / ROW) - 3);
      const steps = {
        ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], PageDown: [page, 0], PageUp: [-page, 0],
        Home: event.ctrlKey ? [-Infinity, 0] : [0, -Infinity], End: event.ctrlKey ? [Infinity, 0] : [0, Infinity],
      };
      const cell = event.target.closest("td, th");
      if (!cell || !body.contains(cell)) return;
      if (event.key === "Enter" || event.key === " ") opened(cell);
      else if (steps[event.key]) go(active.item + steps[event.key][0], active.column + steps[event.key][1]);
      else return;
      event.preventDefault();
    }

    let printing = false, waiting = false;
    frame.addEventListener("scroll", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; draw(); });
    }, { passive: true });
    body.addEventListener("click", (event) => { const cell = event.target.closest("td, th"); if (cell) opened(cell); });
    body.addEventListener("focusin", (event) => {
      const tr = event.target.closest("tr[data-item]");
      if (tr) active = { item: Number(tr.dataset.item), column: event.target.closest("td, th").cellIndex };
    });
    table.addEventListener("keydown", pressed);
    window.addEventListener("resize", () => draw());
    window.addEventListener("beforeprint", () => { printing = true; draw(true); });
    window.addEventListener("afterprint", () => { printing = false; draw(true); });

    return { element: frame, rows, apply, draw, focus: () => mark(true), shown: () => shown };
  }

  return { create, rowsOf, make, counted, key, title };
})();
