// What the page holds: packed JSON, opened when it is asked for.
"use strict";
const Data = (() => {
  const MOST_KEPT = 8; // pieces of cases that stay open
  const pieces = new Map();
  let programs = null;

  async function unpack(id) {
    const text = document.getElementById(id).textContent;
    const bytes = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  }

  const index = () => unpack("index");

  const ARRAYS = ["input", "kernel", "bias", "gradients", "expected"];

  /** Values of arrays are text until a case is opened. */
  function unfold(detail) {
    const arrays = [...ARRAYS.map((name) => detail.line[name]), ...detail.verdicts.map((verdict) => verdict.got)];
    for (const array of arrays) if (typeof array?.values === "string") array.values = JSON.parse(array.values);
    return detail;
  }

  /** What is behind case `number` of the index, which has `size` cases a piece. */
  async function detail(number, size) {
    const piece = Math.floor(number / size);
    if (!pieces.has(piece)) {
      if (pieces.size >= MOST_KEPT) pieces.delete(pieces.keys().next().value);
      pieces.set(piece, unpack(`piece-${piece}`));
    }
    return unfold((await pieces.get(piece))[number % size]);
  }

  function skeletons() {
    programs ??= unpack("programs");
    return programs;
  }

  return { index, detail, skeletons };
})();
