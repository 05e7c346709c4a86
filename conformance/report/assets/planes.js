/* More of `Draw`: overlap, array and error, each a plane of the last two axes with selects for the others. */
"use strict";
(() => {
  const { svg, html, sentence, counted, axisName, derived, products, grid, short, exact, special, sign, drawn } = Draw;

  const at = (values, index) => index.reduce((inner, i) => (inner === undefined ? undefined : inner[i]), values);

  function* numbers(values) {
    if (Array.isArray(values)) for (const inner of values) yield* numbers(inner);
    else yield values;
  }

  /** The largest finite magnitude. */
  function largest(values) {
    let most = 0;
    for (const value of numbers(values)) if (!special(value) && Math.abs(value) > most) most = Math.abs(value);
    return most;
  }

  /** A drawing for each choice of the leading axes: selects, and the plane of the others. plane(lead) makes it. */
  function sliced(face, begin, wanted, plane) {
    const lead = face.lengths.map((length, i) => Math.max(0, Math.min(length - 1, wanted[face.leading[i]] || 0)));
    const place = html("div", {}, grid(plane(lead)));
    const choices = face.lengths.flatMap((length, i) => (length < 2 ? [] : [choice(length, i)]));
    function choice(length, i) {
      const [axis, from] = [face.leading[i], begin[face.leading[i]]];
      const few = length <= 256;
      const field = few
        ? html("select", {}, ...Array.from({ length }, (_, n) => html("option", { value: n + from }, String(n + from))))
        : html("input", { type: "number", min: from, max: from + length - 1, step: 1 });
      field.value = lead[i] + from;
      field.addEventListener("change", () => {
        lead[i] = Math.max(0, Math.min(length - 1, (Math.round(Number(field.value)) || 0) - from));
        field.value = lead[i] + from;
        place.replaceChildren(grid(plane(lead)));
      });
      return html("label", { class: "dr-choice" }, `axis ${axis} `, field);
    }
    const unusual = face.unusual ? sentence(`Rows are axis ${face.axes[0]}, columns axis ${face.axes[1]}.`) : null;
    return html("div", {}, choices.length ? html("div", { class: "dr-controls" }, ...choices) : null, unusual, place);
  }

  /** A scale under a plane: what the strongest colours stand for. */
  function scale(most, words) {
    const part = (name, text) => {
      const sample = html("b", { class: `dr-sample ${name}` });
      return html("span", {}, sample, ` ${text}`);
    };
    if (!most) return words ? html("p", { class: "dr-legend" }, part("dr-odd", words)) : null;
    return html("p", { class: "dr-legend" }, part("dr-minus", `−${short(most)}`), part("", "0"), part("dr-plus", `+${short(most)}`), words ? part("dr-odd", words) : null);
  }

  const figure = (caption, ...children) => html("figure", { class: "dr-figure" }, html("figcaption", {}, caption), ...children);
  const shifted = (index, begin) => index.map((n, i) => n + begin[i]);
  const named = (index) => `[${index.join(", ")}]`;

  /** Which axes are rows and columns: the last two, or the last two longer than 1 where those have one element; the others lead.
      index(lead, row, column) is the whole index. */
  function faces(shape) {
    const long = shape.flatMap((length, i) => (length > 1 ? [i] : []));
    const last = shape.map((_, i) => i).slice(-2);
    const chosen = shape.length > 2 && long.length && last.every((i) => shape[i] === 1) ? [...last, ...long].sort((a, b) => (shape[a] > 1) - (shape[b] > 1) || a - b).slice(-2).sort((a, b) => a - b) : last;
    const [row, column] = chosen.length === 2 ? chosen : [null, chosen[0] ?? null];
    const leading = shape.map((_, i) => i).filter((i) => !chosen.includes(i));
    const whole = (lead, r, c) => {
      const index = new Array(shape.length).fill(0);
      leading.forEach((axis, i) => (index[axis] = lead[i]));
      if (row !== null) index[row] = r;
      if (column !== null) index[column] = c;
      return index;
    };
    const sides = (values, otherwise) => [row === null ? otherwise : values[row], column === null ? otherwise : values[column]];
    return {
      leading,
      lengths: leading.map((i) => shape[i]),
      sides: sides(shape, 1),
      start: (begin) => sides(begin, 0),
      whole,
      unusual: chosen !== last,
      axes: chosen,
      at: (lead, begin) => named(shape.map((_, i) => (chosen.includes(i) ? ":" : lead[leading.indexOf(i)] + begin[i]))),
    };
  }

  /** The lengths of what is there of an array: its shape, or with `start` the lengths of its nested values, a window. */
  function extents({ shape, start, values }) {
    if (!start) return shape;
    const found = [];
    for (let inner = values; found.length < shape.length; inner = inner[0]) found.push(inner.length);
    return found;
  }

  /** How the elements of an array that the record does not hold are made, as a sentence. */
  function recipe(title, array) {
    const made = Object.entries(array.make || {}).filter(([key]) => key !== "shape");
    const how = made.map(([key, value]) => `${key} ${typeof value === "string" ? value : JSON.stringify(value)}`).join(", ");
    return figure(`${title} ${named(array.shape)}`, sentence(how ? `Too large for the record. Made of ${how}.` : "Too large for the record: only its shape is there."));
  }

  /** An array of the record, {shape, values} or {shape, make}, under its title. With `start`, values are a window that begins there. */
  function array(given, title) {
    if (!given || !given.shape) return figure(title, sentence("None."));
    if (!("values" in given)) return recipe(title, given);
    const { shape, values } = given;
    const begin = given.start || shape.map(() => 0);
    const face = faces(extents(given));
    const most = largest(values);
    const strength = (value) => Math.sign(value) * Math.max(0.1, Math.abs(value) / most);
    const cell = (index) => {
      const value = at(values, index);
      const odd = special(value);
      return { share: odd || !value ? 0 : strength(value), odd, text: short(value), said: `${named(shifted(index, begin))} is ${exact(value)}` };
    };
    const plane = (lead) => ({
      rows: face.sides[0],
      columns: face.sides[1],
      start: face.start(begin),
      label: `${title} ${face.at(lead, begin)}`,
      cell: (r, c) => cell(face.whole(lead, r, c)),
    });
    const where = given.start ? `, a window of it that starts at ${named(begin)}` : "";
    return figure(`${title} ${named(shape)}${where}`, sliced(face, begin, [], plane), scale(most, [...numbers(values)].some(special) ? "no finite number" : null));
  }

  /** How many products land on each element of the output: of the last two axes, with the others chosen. */
  function overlap(given) {
    const axes = ((given && given.axes) || []).map(derived);
    const bad = axes.find((axis) => typeof axis === "string");
    if (!axes.length || bad) return sentence(bad ? `No overlap: ${bad}.` : "No overlap: these arguments have no geometry.");
    const face = faces(axes.map((axis) => axis.out));
    const most = axes.map((axis) => Math.max(...drawn(axis.out).map((i) => (i === null ? 0 : products(axis, i + axis.low)))));
    const total = most.reduce((product, n) => product * n, 1);
    const uneven = axes.flatMap((axis, i) => (axis.size < 2 || even(axis) ? [] : [axisName(i, axes.length)]));
    const texture = uneven.length ? ` Uneven inside along ${uneven.join(" and ")}: the texture of a checkerboard.` : axes.some((axis) => axis.size > 1) ? " As many everywhere inside." : "";
    const caption = total ? `Products per element and channel pair: at most ${total}.${texture}` : "No product reaches the output: it is the bias alone.";
    return figure(caption, sliced(face, axes.map(() => 0), axes.map((axis) => axis.out >> 1), countsPlane(axes, face, total)));
  }

  /** Makes the plane of products for chosen leading axes: an element's number is that of its place on each axis, multiplied. */
  function countsPlane(axes, face, total) {
    const held = axes.map(() => new Map());
    const count = (n, i) => held[n].get(i) ?? held[n].set(i, products(axes[n], i + axes[n].low)).get(i);
    const [row, column] = axes.length > 1 ? face.axes : [null, 0];
    return (lead) => {
      const outside = lead.reduce((product, i, n) => product * count(face.leading[n], i), 1);
      const found = (r, c) => outside * (row === null ? 1 : count(row, r)) * count(column, c);
      const share = (r, c) => (total ? -found(r, c) / total : 0); // the calmer of the two colours
      const said = (r, c) => `out${named(face.whole(lead, r, c))} is a sum of ${counted(found(r, c), "product")}`;
      return {
        rows: face.sides[0],
        columns: face.sides[1],
        start: [0, 0],
        label: `Products per element of the output ${named(axes.map((axis) => axis.out))}`,
        share,
        cell: (r, c) => ({ share: share(r, c), odd: false, text: String(found(r, c)), said: said(r, c) }),
      };
    };
  }

  /** Whether as many taps reach every position far from the ends. */
  function even(axis) {
    const taps = new Map();
    for (let tap = 0; tap < axis.kernel; tap++) {
      const phase = (tap * axis.dilation) % axis.stride;
      taps.set(phase, (taps.get(phase) || 0) + 1);
    }
    return taps.size === axis.stride && new Set(taps.values()).size === 1;
  }

  /** got - expected where both are finite; 0 where they are the same; null where one is no finite number and the other is another. */
  function gap(got, expected) {
    if (special(got) || special(expected)) return got === expected ? 0 : null;
    return got - expected;
  }

  /** The elements of expected under a window of got, or null where the record does not hold them. */
  function under(expected, start) {
    return expected && "values" in expected ? (index) => at(expected.values, shifted(index, start)) : null;
  }

  /** The signed error on the output grid. got may be a window ({start}); first is the index of the first mismatch, or null. */
  function error(got, expected, first) {
    if (!got || !got.shape) return sentence("There is no output to compare.");
    if (!expected || !expected.shape) return array(got, "got");
    const start = got.start || got.shape.map(() => 0);
    const same = got.shape.length === expected.shape.length && (got.start || got.shape.every((n, i) => n === expected.shape[i]));
    if (!same) return outlines(got.shape, expected.shape);
    const truth = under(expected, start);
    if (!truth || !("values" in got)) return html("div", {}, sentence("The record holds no expected values of so large an output; what came instead:"), array(got, "got"));
    return errorFigure(got, start, truth, Array.isArray(first) ? first.map((n, i) => n - start[i]) : []);
  }

  function errorFigure(got, start, truth, first) {
    const sides = extents(got);
    const face = faces(sides);
    const found = { most: 0, off: 0, odd: 0, all: 0 };
    each(sides, (index) => {
      const off = gap(at(got.values, index), truth(index));
      found.all++;
      if (off === null) found.odd++;
      if (off !== 0) found.off++;
      if (off !== null && Math.abs(off) > found.most) found.most = Math.abs(off);
    });
    const plane = (lead) => ({
      rows: face.sides[0],
      columns: face.sides[1],
      start: face.start(start),
      label: `Error of out${face.at(lead, start)}`,
      cell: (r, c) => errorCell(face.whole(lead, r, c), got, start, truth, found.most),
    });
    const where = got.start ? ` of a window of ${named(sides)} that starts at ${named(start)}` : "";
    const caption = `Got minus expected: ${found.off} of ${counted(found.all, "element")}${where} differ`;
    return figure(caption, sliced(face, start, first, plane), scale(found.most, found.odd ? "not finite on one side" : null));
  }

  function errorCell(index, got, start, truth, most) {
    const [came, due] = [at(got.values, index), truth(index)];
    const off = gap(came, due);
    const name = named(shifted(index, start));
    const said = `out${name}: got ${exact(came)}, should be ${exact(due)}`;
    if (off === null) return { share: 0, odd: true, text: short(came), said };
    if (off === 0) return { share: 0, odd: false, text: special(came) ? short(came) : "0", said: `${said}: no error` };
    const strength = Math.max(0.2, Math.sqrt(Math.abs(off) / most)); // a root, so that small errors are seen beside large ones
    return { share: off < 0 ? -strength : strength, odd: false, text: sign(off) + short(Math.abs(off)), said: `${said}: error ${sign(off)}${exact(Math.abs(off))}` };
  }

  /** Every index of a shape, in order. */
  function each(shape, visit, index = []) {
    if (index.length === shape.length) visit(index);
    else for (let i = 0; i < shape[index.length]; i++) each(shape, visit, [...index, i]);
  }

  /** Two shapes on each other, by their last two axes: another shape has no error per element. */
  function outlines(got, expected) {
    const sides = (shape) => (shape.length < 2 ? [1, shape[0] || 0] : shape.slice(-2));
    const [gotSides, dueSides] = [sides(got), sides(expected)];
    const unit = 260 / Math.max(...gotSides, ...dueSides, 1);
    const box = ([rows, columns], name, inset) => svg("rect", { class: name, x: 4 + inset, y: 4 + inset, width: Math.max(columns * unit, 3), height: Math.max(rows * unit, 3) });
    const words = `Another shape: got ${named(got)}, should be ${named(expected)}`;
    const deep = gotSides.every((n, i) => n === dueSides[i]) ? sentence("The last two axes are the same; others differ.") : null;
    const height = Math.max(gotSides[0], dueSides[0]) * unit + 10;
    const picture = svg("svg", { width: 272, height, viewBox: `0 0 272 ${height}`, role: "img", "aria-label": words }, box(dueSides, "dr-due", 0), box(gotSides, "dr-got", 1.5));
    const sample = (name) => svg("svg", { class: "dr-sign", width: 20, height: 16, viewBox: "0 0 20 16", "aria-hidden": true }, svg("rect", { class: name, x: 2, y: 2, width: 16, height: 12 }));
    const key = html("p", { class: "dr-legend" }, html("span", {}, sample("dr-got"), " got"), html("span", {}, sample("dr-due"), " should be"));
    return figure(words, picture, key, deep);
  }

  Object.assign(Draw, { overlap, array, error });
})();
