/* More of `Draw`: the widget of a plane of numbers. It is a table of coloured cells where there are few, else a canvas; either way
   the arrow keys and the mouse read single values out. */
"use strict";
(() => {
  const { html, sentence, scroll } = Draw;
  const MOST_CELLS = 400; // of a table
  const MOST_COLUMNS = 24;
  const MOST_DRAWN = 384; // of an axis on a canvas; the middle of a longer one is left out

  const SPECIAL = { NaN: "NaN", Infinity: "∞", "-Infinity": "−∞" };
  const special = (value) => typeof value === "string";
  const sign = (value) => (value > 0 ? "+" : value < 0 || Object.is(value, -0) ? "−" : "");

  /** A number as short as it fits a cell: five significant digits. */
  function short(value) {
    if (special(value)) return SPECIAL[value] || value;
    const size = Math.abs(value);
    const text = Number.isInteger(size) && size < 1e6 ? String(size) : String(Number(size.toPrecision(5)));
    return (sign(value) === "−" ? "−" : "") + text;
  }
  /** A number as the record has it. */
  const exact = (value) => (special(value) ? SPECIAL[value] || value : Object.is(value, -0) ? "-0" : String(value));

  /** Indices of an axis that are drawn; null is where the middle was left out. */
  function drawn(count) {
    const all = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);
    if (count <= MOST_DRAWN) return all(0, count);
    return [...all(0, MOST_DRAWN / 2), null, ...all(count - MOST_DRAWN / 2, count)];
  }

  /* A plane is {rows, columns, cell(row, column) -> {share, odd, text, said}, label, start: [row, column]}. share is -1 to 1: how
     strong its colour is, and whether it is that of plus or minus; odd marks what is no finite number; said is read out. A large
     plane may have share(row, column) too, which makes no text. */

  /** Colours as [r, g, b], resolved where light and dark are: of the page as it is now. */
  function colours() {
    const probe = html("span", { hidden: "" });
    document.body.append(probe);
    const found = {};
    for (const name of ["plus", "minus", "surface", "odd", "muted"]) {
      probe.style.color = `var(--dr-${name})`;
      const parts = getComputedStyle(probe).color.match(/[\d.]+/g).map(Number);
      found[name] = parts.slice(0, 3);
    }
    probe.remove();
    return found;
  }

  function paint(canvas, plane, rows, columns) {
    const palette = colours();
    const image = new ImageData(columns.length, rows.length);
    const shades = new Map(); // of a share: most planes have few
    const shade = (share) => shades.get(share) || shades.set(share, mixed(palette, share)).get(share);
    rows.forEach((row, y) =>
      columns.forEach((column, x) => {
        const out = row === null || column === null;
        const cell = out ? null : plane.share ? null : plane.cell(row, column);
        const colour = out ? palette.muted : plane.share ? shade(plane.share(row, column)) : cell.odd ? palette.odd : shade(cell.share);
        const i = 4 * (y * columns.length + x);
        [image.data[i], image.data[i + 1], image.data[i + 2]] = colour;
        image.data[i + 3] = 255;
      }),
    );
    canvas.width = columns.length;
    canvas.height = rows.length;
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  function mixed(palette, share) {
    const towards = share < 0 ? palette.minus : palette.plus;
    return palette.surface.map((from, i) => Math.round(from + (towards[i] - from) * Math.min(Math.abs(share), 1)));
  }

  function asCanvas(plane) {
    const rows = drawn(plane.rows);
    const columns = drawn(plane.columns);
    const canvas = html("canvas", { class: "dr-canvas", role: "img", "aria-label": plane.label });
    const wide = Math.max(1, Math.min(16, Math.floor(640 / columns.length)));
    const high = Math.max(Math.min(wide, Math.floor(640 / rows.length)), rows.length < 8 ? 16 : 1);
    canvas.style.width = `${wide * columns.length}px`;
    canvas.style.height = `${high * rows.length}px`;
    const redraw = () => paint(canvas, plane, rows, columns);
    canvas.addEventListener("dr-theme", redraw);
    redraw();
    const cursor = html("div", { class: "dr-cursor", hidden: "" });
    const left = rows.includes(null) || columns.includes(null) ? sentence("The middle of a long axis is left out: a grey line.") : null;
    return {
      element: html("div", {}, html("div", { class: "dr-canvas-box" }, canvas, cursor), left),
      rows,
      columns,
      place: (event) => {
        const box = canvas.getBoundingClientRect();
        return [Math.floor(((event.clientY - box.top) / box.height) * rows.length), Math.floor(((event.clientX - box.left) / box.width) * columns.length)];
      },
      mark: (y, x) => {
        cursor.hidden = false;
        Object.assign(cursor.style, { left: `${(100 * x) / columns.length}%`, top: `${(100 * y) / rows.length}%`, width: `${100 / columns.length}%`, height: `${100 / rows.length}%` });
      },
    };
  }

  function asTable(plane) {
    const columns = drawn(plane.columns);
    const rows = drawn(plane.rows);
    const cells = rows.map((row) =>
      columns.map((column) => {
        const { share, odd, text } = plane.cell(row, column);
        const cell = html("td", { class: odd ? "dr-odd" : share > 0 ? "dr-plus" : share < 0 ? "dr-minus" : null }, text);
        if (share && !odd) cell.style.setProperty("--share", Math.min(Math.abs(share), 1).toFixed(3));
        return cell;
      }),
    );
    const head = html("tr", {}, html("td", {}), ...columns.map((column) => html("th", { scope: "col" }, String(column + plane.start[1]))));
    const body = rows.map((row, y) => html("tr", {}, html("th", { scope: "row" }, String(row + plane.start[0])), ...cells[y]));
    const caption = html("caption", { class: "dr-hidden" }, plane.label);
    let marked = null;
    return {
      element: html("table", { class: "dr-table" }, caption, html("thead", {}, head), html("tbody", {}, ...body)),
      rows,
      columns,
      place: (event) => {
        const cell = event.target.closest("td");
        const y = cells.findIndex((row) => row.includes(cell));
        return y < 0 ? null : [y, cells[y].indexOf(cell)];
      },
      mark: (y, x) => {
        if (marked) marked.classList.remove("dr-current");
        marked = cells[y][x];
        marked.classList.add("dr-current");
        marked.scrollIntoView({ block: "nearest", inline: "nearest" });
      },
    };
  }

  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -Infinity], End: [0, Infinity] };

  /** The widget of a plane: its picture, and a line that says the value under the arrow keys or the mouse. */
  function grid(plane) {
    if (!plane.rows || !plane.columns) return sentence(`${plane.label}: no element`);
    const few = plane.rows * plane.columns <= MOST_CELLS && plane.columns <= MOST_COLUMNS;
    const view = (few ? asTable : asCanvas)(plane);
    const said = html("output", { class: "dr-readout dr-quiet" }, "Arrow keys or mouse: single values.");
    const place = scroll(`${plane.label}: arrow keys read single values`, view.element);
    if (!few) place.setAttribute("role", "application"); // the keys are the drawing's own
    let current = [0, 0];
    let began = false;
    const go = (y, x) => {
      current = [Math.max(0, Math.min(view.rows.length - 1, y)), Math.max(0, Math.min(view.columns.length - 1, x))];
      began = true;
      said.classList.remove("dr-quiet");
      const [row, column] = [view.rows[current[0]], view.columns[current[1]]];
      view.mark(...current);
      said.textContent = row === null || column === null ? "left out" : plane.cell(row, column).said;
    };
    place.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      if (began) go(current[0] + step[0], current[1] + step[1]);
      else go(0, 0);
    });
    const point = (event) => {
      const found = view.place(event);
      if (found) go(...found);
    };
    place.addEventListener("click", point);
    if (!few) place.addEventListener("pointermove", (event) => event.target.closest(".dr-canvas-box") && point(event));
    else place.addEventListener("mouseover", point);
    return html("div", { class: "dr-grid" }, place, said);
  }

  /** Drawings on a canvas take their colours anew when the page's change. */
  function watch() {
    const tell = () => requestAnimationFrame(() => document.querySelectorAll(".dr-canvas, .dr-chart").forEach((element) => element.dispatchEvent(new Event("dr-theme"))));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);
    new MutationObserver(tell).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "class", "style"] });
  }
  watch();

  Object.assign(Draw, { grid, short, exact, special, sign, drawn });
})();
