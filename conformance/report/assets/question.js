// A search in words: the features, engines, statuses and topics that it asks about, and the words that are left.
"use strict";
const Question = (() => {
  const FILLERS = new Set(("a all an and any are best between by can changed do does engine engines for framework frameworks from handle handles has have how i "
    + "in is it kernel me most my of on or run runs same support supported supports that the there to under use used uses using we what which why will with "
    + "work works").split(" "));

  /** Word -> what it stands for, of { what: "word word" }. */
  const table = (entries) => new Map(Object.entries(entries).flatMap(([what, words]) => words.split(" ").map((word) => [word, what])));
  const TOPICS = table({
    flip: "flip flips flipped flipping mirror mirrored rotate rotated transpose_kernel", layout: "layout layouts weights filter",
    input: "channels channels_first channels_last data_format input nchw nhwc", size: "size sizes",
    padding: "padding pads pad same valid crop crops cropped window", call: "call function api", port: "convert migrate port porting translate",
  });
  const FAILS = "any status that fails";
  const STATUSES = table({
    crashed: "abort aborts crash crashed crashes segfault", raised: "exception exceptions raise raised raises", differs: "differs mismatch",
    "timed-out": "hang hangs timeout timeouts", [FAILS]: "broken fail fails failing failure failures incorrect wrong",
  });
  const SECTIONS = table({
    timings: "fast faster fastest latency performance slow slower slowest speed time times timing timings",
    accuracy: "accuracy accurate error errors precise rounding", trend: "trend",
  });
  const CHANGES = new Set(["changed", "change", "changes", "difference", "differences", "differ", "versus", "vs"]);
  const ENGINES = { pytorch: "torch", tf: "tensorflow", ort: "onnxruntime", linen: "flax", nnx: "flax" };
  const VERSION = /^v?\d+(\.\d+)*$/;

  const wordsOf = (text) => text.toLowerCase().split(/[\s,;?!"']+/).map((word) => word.replace(/[.:]+$/, "")).filter(Boolean);

  const known = new WeakMap();

  /** Word -> number of its feature. */
  function featuresOf(index) {
    if (!known.has(index)) {
      known.set(index, new Map(index.answers.features.flatMap(([name, , aliases], number) =>
        [name.toLowerCase(), ...aliases].map((word) => [word, number]))));
    }
    return known.get(index);
  }

  /** The features that a word means, each by itself. */
  const familyOf = (word, index) => index.answers.families.find(([words]) => words.includes(word))?.[1] ?? [];

  /** Of layouts, those of the kernel or of the input where one of them is named. */
  function narrow(topics, all) {
    if (!all.some((word) => word.startsWith("layout"))) return;
    if (topics.has("input")) topics.delete("layout");
    else if (!all.some((word) => ["kernel", "weights", "filter"].includes(word))) topics.add("input");
  }

  /** The columns that a word names: those of a label, or of all labels that begin with it. */
  function named(word, index) {
    const name = ENGINES[word] ?? word;
    if (name.length < 2 || VERSION.test(word)) return [];
    return index.columns.flatMap(({ label }, number) => (label.toLowerCase().startsWith(name) ? [number] : []));
  }

  /** What `text` asks: { asks, features, family, columns, statuses, sections, topics, changes, words }; what is no question is all words. */
  function parse(text, index) {
    const all = wordsOf(text), versions = all.filter((word) => VERSION.test(word)).map((word) => word.replace(/^v/, ""));
    const features = new Set(), family = new Set(), statuses = new Set(), sections = new Set(), topics = new Set(), words = [];
    let columns = [], changes = false;
    for (const word of all) {
      const feature = featuresOf(index).get(word), those = familyOf(word, index), engines = FILLERS.has(word) ? [] : named(word, index);
      const [topic, status, section] = [TOPICS, STATUSES, SECTIONS].map((of) => of.get(word));
      if (feature !== undefined) features.add(feature);
      for (const one of those) family.add(one);
      if (topic) topics.add(topic);
      for (const { name, fails } of index.statuses) if (status === name || (status === FAILS && fails)) statuses.add(name);
      if (section && document.getElementById(section)) sections.add(section);
      if (CHANGES.has(word)) changes = true;
      columns.push(...engines);
      if (feature === undefined && !those.length && !topic && !status && !section && !engines.length && !FILLERS.has(word) && !CHANGES.has(word)) words.push(word);
    }
    narrow(topics, all);
    columns = [...new Set(columns)];
    const ofVersions = columns.filter((number) => versions.some((version) => index.columns[number].label.split("@")[1]?.startsWith(version)));
    if (ofVersions.length) columns = ofVersions;
    const isSentence = all.length > 1 && !words.length;
    const asks = features.size + family.size + statuses.size > 0 || (columns.length > 0 && (topics.size + sections.size > 0 || changes || !words.length))
      || (isSentence && topics.size + sections.size > 0) || topics.has("flip");
    const lists = Object.fromEntries(Object.entries({ features, family, statuses, sections, topics }).map(([name, those]) => [name, asks ? [...those] : []]));
    if (!asks) return { ...lists, asks, columns: [], changes: false, words: all };
    return { ...lists, asks, columns, changes, words: words.filter((word) => !(ofVersions.length && VERSION.test(word))) };
  }

  return { parse };
})();
