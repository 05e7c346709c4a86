// Programs: a skeleton with a case's data put where its marks are, as `conformance show --program` writes them.
"use strict";
const Program = (() => {
  const MARK = /\ue000([a-z]+):([^\ue001]*)\ue001/g;
  // The blanks of Python's str.split, which are not those of \s.
  const BLANKS = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
  const ROLES = { x: "input", w: "kernel", b: "bias" };

  /** repr() of a Python float; the record's "NaN" and "Infinity" as calls of float. */
  function real(value) {
    if (typeof value === "string") {
      const names = { NaN: "nan", Infinity: "inf", "-Infinity": "-inf" };
      return `float('${names[value] ?? value}')`;
    }
    if (Object.is(value, -0)) return "-0.0";
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
      const [digits, power] = value.toExponential().split("e");
      return `${digits}e${power[0]}${power.slice(1).padStart(2, "0")}`;
    }
    const text = String(value);
    return text.includes(".") ? text : `${text}.0`;
  }

  function literal(value, open, close) {
    if (value === null || value === undefined) return "None";
    if (!Array.isArray(value)) return String(value);
    const inner = value.map((entry) => literal(entry, open, close));
    return open + (open === "(" && inner.length === 1 ? `${inner[0]},` : inner.join(", ")) + close;
  }
  const tuple = (value) => literal(value, "(", ")");
  const list = (value) => literal(value, "[", "]");

  const nested = (values) => (Array.isArray(values) ? `[${values.map(nested).join(", ")}]` : real(values));

  function array(key, line, data) {
    if (data.recipes[key] !== undefined) return data.recipes[key];
    return `np.array(${nested(line[ROLES[key]].values)}, dtype=float)`;
  }

  function geometry(key, line) {
    const { axes, groups, out } = line.geometry;
    switch (key) {
      case "groups": return String(groups);
      case "crops": return tuple(axes.map((axis) => [axis.crop_low, axis.crop_high]));
      case "out": return out.join(", ");
      default: return tuple(axes.map((axis) => axis[key]));
    }
  }

  const words = (text) => text.split(BLANKS).filter((word) => word).join(" ");

  /** The program: skeleton, the case's line, its `programs` entry, and its arguments in the adapter's convention. */
  function fill(skeleton, line, data, native) {
    return skeleton.replace(MARK, (_, kind, key) => {
      switch (kind) {
        case "text": return words(line[key]);
        case "array": return array(key, line, data);
        case "shape": return tuple(line[ROLES[key]].shape);
        case "tuple": return tuple(native[key]);
        case "list": return list(native[key]);
        case "joined": return native[key].join(", ");
        case "geometry": return geometry(key, line);
        default: return `[${data.padding.map(tuple).join(", ")}]`;
      }
    });
  }

  return { fill, real };
})();
