/* The global `Draw`: small helpers that every drawing uses, and the picture of a geometry.

   Elements are made with createElement and text nodes alone, so that nothing in a record becomes markup. Colours are classes of
   drawings.css. Nothing here throws for what a record may hold: what cannot be drawn comes back as a sentence. */
"use strict";
const Draw = (() => {
  const SVG = "http://www.w3.org/2000/svg";

  /** An element with attributes (null and undefined are left out) and children; strings become text. */
  function made(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children.flat(Infinity).filter((child) => child !== null));
    return element;
  }
  const svg = (name, attributes = {}, ...children) => made(document.createElementNS(SVG, name), attributes, children);
  const html = (name, attributes = {}, ...children) => made(document.createElement(name), attributes, children);
  const sentence = (text) => html("p", { class: "dr-note" }, text);

  /** "1 cell", "2 cells". */
  const counted = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

  /** A drawing that may be wider than the page, and then scrolls by keyboard too. */
  const scroll = (label, ...children) => html("div", { class: "dr-scroll", tabindex: 0, role: "group", "aria-label": label }, ...children);

  /** What axis i of a rank is called. */
  function axisName(i, rank) {
    const names = [["length"], ["height", "width"], ["depth", "height", "width"]][rank - 1];
    return names ? `axis ${i} (${names[i]})` : `axis ${i}`;
  }

  /** The numbers that follow from an axis of the record, or a sentence that says why it has none. */
  function derived(axis) {
    const { size, kernel, stride, dilation, crop_low: low, crop_high: high } = axis;
    const wrong = Object.entries({ size, kernel, stride, dilation }).find(([key, value]) => !(value >= (key === "size" ? 0 : 1)));
    if (wrong) return `${wrong[0]} ${wrong[1]}, should be at least ${wrong[0] === "size" ? 0 : 1}: there is nothing to draw`;
    const extent = dilation * (kernel - 1) + 1;
    const full = (size - 1) * stride + extent;
    const stop = full - high;
    if (stop - low < 1) return `${low} and ${high} are cropped from a full output of ${full}: nothing is left to draw`;
    return { size, kernel, stride, dilation, low, high, extent, full, stop, out: stop - low };
  }

  /** How many products land on position p of the full output of a derived axis. */
  function products(axis, p) {
    let count = 0;
    for (let tap = 0; tap < axis.kernel; tap++) {
      const place = p - tap * axis.dilation;
      if (place >= 0 && place % axis.stride === 0 && place / axis.stride < axis.size) count++;
    }
    return count;
  }

  /** Positions that are drawn, in runs: all of few; else the ends, the edges of the window, and the footprint of the chosen cell. */
  function runs(axis, chosen) {
    const first = Math.min(0, axis.low);
    const end = Math.max(axis.full, axis.stop);
    if (end - first <= 44) return [[first, end]];
    const wanted = [[first, first + 6], [end - 6, end], [axis.low - 3, axis.low + 6], [axis.stop - 6, axis.stop + 3]];
    if (axis.size > 0) {
      const at = chosen * axis.stride;
      if (axis.extent <= 24) wanted.push([at - 2, at + axis.extent + 2]);
      else wanted.push([at - 2, at + 8], [at + axis.extent - 8, at + axis.extent + 2]);
    }
    const merged = [];
    for (const [a, b] of wanted.map(([a, b]) => [Math.max(a, first), Math.min(b, end)]).sort((u, v) => u[0] - v[0])) {
      if (a >= b) continue;
      const last = merged[merged.length - 1];
      if (last && a - last[1] < 3) last[1] = Math.max(last[1], b);
      else merged.push([a, b]);
    }
    return merged;
  }

  const GAP = 26; // pixels between two runs
  const TOP = { input: 18, taps: 68, full: 116 }; // where each row of cells begins
  const HEIGHT = 20; // of a cell

  /** Where every drawn position stands: {places: [[position, x]], gaps: [[x, how many]], x(position), cell, width}. */
  function layout(axis, chosen) {
    const digits = String(Math.max(axis.full, axis.stop)).length;
    const cell = Math.max(20, 8 + 7 * digits);
    const places = [];
    const gaps = [];
    let x = 2;
    let before = null;
    for (const [a, b] of runs(axis, chosen)) {
      if (before !== null) {
        gaps.push([x, a - before]);
        x += GAP;
      }
      for (let p = a; p < b; p++, x += cell) places.push([p, x]);
      before = b;
    }
    const found = new Map(places);
    return { places, gaps, cell, width: x + 2, x: (p) => found.get(p) };
  }

  const text = (x, y, words, name = "dr-tick") => svg("text", { class: name, x, y }, String(words));

  function cellBox(x, top, cell, name, words, textName) {
    return [
      svg("rect", { class: name, x: x + 1, y: top + 1, width: cell - 2, height: HEIGHT - 2 }),
      words === null ? null : text(x + cell / 2, top + 14, words, textName),
    ];
  }

  /** Input cells where their first tap lands, with dots for the zeros that the stride puts between them. */
  function inputRow(axis, at, chosen, pick) {
    return at.places.flatMap(([p, x]) => {
      if (p < 0 || p > (axis.size - 1) * axis.stride) return [];
      if (p % axis.stride) return [svg("circle", { class: "dr-zero", cx: x + at.cell / 2, cy: TOP.input + 10, r: 2 })];
      const i = p / axis.stride;
      const box = svg("g", { class: "dr-pick" }, cellBox(x, TOP.input, at.cell, i === chosen ? "dr-chosen" : "dr-input", i, i === chosen ? "dr-on" : "dr-in"));
      box.addEventListener("click", () => pick(i));
      return [box];
    });
  }

  /** The taps of the chosen cell above the positions that they reach, with lines from the cell; hollow where they are cut. */
  function tapRow(axis, at, chosen) {
    if (!axis.size) return [];
    const from = chosen * axis.stride;
    const start = at.x(from);
    const drawn = [];
    for (let tap = 0; tap < axis.kernel; tap++) {
      const p = from + tap * axis.dilation;
      const x = at.x(p);
      if (x === undefined) continue;
      const kept = p >= axis.low && p < axis.stop;
      if (start !== undefined) {
        drawn.push(svg("line", { class: "dr-ray", x1: start + at.cell / 2, y1: TOP.input + HEIGHT, x2: x + at.cell / 2, y2: TOP.taps }));
      }
      drawn.push(...cellBox(x, TOP.taps, at.cell, kept ? "dr-tap" : "dr-tap-cut", tap, kept ? "dr-on" : "dr-in"));
    }
    return drawn;
  }

  function hatch(x, top, cell) {
    const y = top + HEIGHT - 1;
    const strokes = [];
    for (let d = 5; d < cell + HEIGHT - 6; d += 6) {
      const [x1, y1] = d <= HEIGHT - 2 ? [1, top + 1 + d] : [1 + d - HEIGHT + 2, y];
      const [x2, y2] = d <= cell - 2 ? [1 + d, top + 1] : [cell - 1, top + 1 + d - cell + 2];
      strokes.push(`M${x + x1} ${y1}L${x + x2} ${y2}`);
    }
    return svg("path", { class: "dr-hatch", d: strokes.join("") });
  }

  /** The full output: kept, cut (hatched) or appended (dashed), with how many products land there; below it both countings. */
  function fullRow(axis, at) {
    const top = TOP.full;
    return at.places.flatMap(([p, x]) => {
      const inFull = p >= 0 && p < axis.full;
      const kept = p >= axis.low && p < axis.stop;
      if (!inFull && !kept) return [];
      const count = inFull ? products(axis, p) : 0;
      const drawn = cellBox(x, top, at.cell, !kept ? "dr-cut" : inFull ? "dr-kept" : "dr-appended", kept ? count : null, inFull ? "dr-on" : "dr-in");
      if (!kept) drawn.push(hatch(x, top, at.cell));
      if (kept) drawn.push(text(x + at.cell / 2, top + HEIGHT + 14, p - axis.low, "dr-in"));
      if (inFull) drawn.push(text(x + at.cell / 2, top + HEIGHT + 46, p));
      return drawn;
    });
  }

  /** The picture of one axis with one input cell chosen. */
  function axisPicture(axis, chosen, label, pick) {
    const at = layout(axis, chosen);
    const width = Math.max(at.width, 330);
    const zeros = axis.stride > 1 && axis.size > 1 ? `, with ${counted(axis.stride - 1, "zero")} between` : "";
    const height = TOP.full + HEIGHT + 52;
    return svg(
      "svg",
      { class: "dr-axis", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label },
      text(2, TOP.input - 5, `input, spread by the stride of ${axis.stride}${zeros}`, "dr-row"),
      tapRow(axis, at, chosen),
      text(2, TOP.taps - 6, axis.size ? `taps of input ${chosen}` : "no input cell: no tap", "dr-row dr-halo"),
      text(2, TOP.full - 5, `how many products land there; the window is ${axis.low} to ${axis.stop - 1}`, "dr-row"),
      inputRow(axis, at, chosen, pick),
      fullRow(axis, at),
      text(2, TOP.full + HEIGHT + 30, "↑ output   ↓ full output", "dr-row dr-faint"),
      at.gaps.map(([x, count]) => [TOP.input, TOP.full].map((top) => svg("g", {}, svg("title", {}, counted(count, "position") + " left out"), text(x + GAP / 2, top + 14, "⋯")))),
    );
  }

  const ends = (count, where) => (count < 0 ? `appends ${counted(-count, "zero")} at the ${where}` : `crops ${count} at the ${where}`);

  /** Where the taps of an input cell land, as a sentence. */
  function landing(axis, i) {
    const kept = [];
    const cut = [];
    for (let tap = 0; tap < axis.kernel; tap++) {
      const p = i * axis.stride + tap * axis.dilation;
      (p >= axis.low && p < axis.stop ? kept : cut).push(p >= axis.low && p < axis.stop ? p - axis.low : tap);
    }
    const some = (list) => (list.length > 12 ? `${list.slice(0, 6).join(", ")}, …, ${list[list.length - 1]}` : list.join(", "));
    const reached = kept.length ? `input ${i} reaches output ${some(kept)}` : `input ${i} reaches no output`;
    return reached + (cut.length ? `; cut: tap ${some(cut)}` : "");
  }

  /** One axis: its numbers as a sentence, the picture, and a slider that chooses the input cell. */
  function axisFigure(raw, name) {
    const axis = derived(raw);
    if (typeof axis === "string") return html("figure", { class: "dr-figure" }, html("figcaption", {}, `${name}: ${axis}`));
    const words =
      `${name}: ${counted(axis.size, "input cell")}, kernel ${axis.kernel}, stride ${axis.stride}` +
      (axis.dilation > 1 ? `, dilation ${axis.dilation}` : "") +
      `. Of the full output of ${axis.full} the ${ends(axis.low, "start")} and the ${ends(axis.high, "end")}: ${axis.out}.`;
    let chosen = axis.size > 24 ? 0 : Math.max(Math.floor((axis.size - 1) / 2), 0);
    const place = scroll(`Picture of ${name}`);
    const said = html("output", { class: "dr-readout" });
    const slider = html("input", { type: "range", min: 0, max: Math.max(axis.size - 1, 0), step: 1, value: chosen });
    const show = (i) => {
      chosen = i;
      slider.value = i;
      said.textContent = axis.size ? landing(axis, i) : "";
      place.replaceChildren(axisPicture(axis, i, words, show));
    };
    slider.addEventListener("input", () => show(Number(slider.value)));
    show(chosen);
    const choice = axis.size > 1 ? html("label", { class: "dr-choice" }, `input cell of ${name} `, slider) : null;
    return html("figure", { class: "dr-figure" }, html("figcaption", {}, words), place, html("div", { class: "dr-controls" }, choice, said));
  }

  const LEGEND = [["dr-kept", "kept"], ["dr-cut", "cut"], ["dr-appended", "appended: zero, and bias"], ["dr-chosen", "chosen input"], ["dr-tap", "its taps"]];

  function legend() {
    const entries = LEGEND.map(([name, words]) => {
      const box = svg("rect", { class: name, x: 1, y: 1, width: 18, height: HEIGHT - 2 });
      const sign = svg("svg", { class: "dr-sign", width: 20, height: HEIGHT, viewBox: `0 0 20 ${HEIGHT}`, "aria-hidden": true }, box, name === "dr-cut" ? hatch(0, 0, 20) : null);
      return html("span", {}, sign, ` ${words}`);
    });
    return html("p", { class: "dr-legend" }, ...entries);
  }

  /** The picture of a geometry, axis by axis. geometry is a record's: {axes: [{size, kernel, stride, dilation, crop_low, crop_high}]}. */
  function geometry(given) {
    const axes = (given && given.axes) || [];
    if (!axes.length) return sentence("These arguments have no geometry: there is nothing to draw.");
    const figures = new Map(); // axes that are alike are drawn once
    axes.forEach((axis, i) => {
      const key = JSON.stringify(axis);
      figures.set(key, [...(figures.get(key) || []), axisName(i, axes.length)]);
    });
    const drawn = [...figures].map(([key, names]) => axisFigure(JSON.parse(key), names.join(" and ")));
    return html("div", { class: "dr-geometry" }, legend(), ...drawn);
  }

  return { geometry, svg, html, sentence, counted, scroll, axisName, derived, products };
})();
