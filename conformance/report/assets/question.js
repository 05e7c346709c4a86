// A search in words: the features, engines and topics that it asks about, and the words that are left.
"use strict";
const Question = (() => {
  const FILLERS = new Set(("a all an and any are between by can changed do does engine engines for framework frameworks from has have how i in is it "
    + "me my of on or run runs same support supported supports that the there to under use used uses using we what which why will with work works").split(" "));
  const TOPICS = new Map(Object.entries({
    flip: "flip flips flipped flipping mirror mirrored rotate rotated", layout: "layout layouts channels", size: "size sizes",
    padding: "padding pads pad same valid crop crops cropped window", call: "call function api",
  }).flatMap(([topic, words]) => words.split(" ").map((word) => [word, topic])));
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

  /** The columns that a word names: those of a label, or of all labels that begin with it. */
  function named(word, index) {
    const name = ENGINES[word] ?? word;
    if (name.length < 2 || VERSION.test(word)) return [];
    return index.columns.flatMap(({ label }, number) => (label.toLowerCase().startsWith(name) ? [number] : []));
  }

  /** What `text` asks: { features, columns, topics, changes, words }; without a question all of it is words. */
  function parse(text, index) {
    const all = wordsOf(text), features = new Set(), topics = new Set(), words = [], versions = [];
    let columns = [], changes = false;
    for (const word of all) {
      const feature = featuresOf(index).get(word), topic = TOPICS.get(word), engines = named(word, index);
      if (feature !== undefined) features.add(feature);
      if (topic) topics.add(topic);
      if (CHANGES.has(word)) changes = true;
      if (VERSION.test(word)) versions.push(word.replace(/^v/, ""));
      columns.push(...engines);
      if (feature === undefined && !topic && !engines.length && !FILLERS.has(word) && !CHANGES.has(word) && word !== "kernel") words.push(word);
    }
    columns = [...new Set(columns)];
    const ofVersions = columns.filter((number) => versions.some((version) => index.columns[number].label.split("@")[1]?.startsWith(version)));
    if (ofVersions.length) columns = ofVersions;
    const asks = features.size > 0 || (columns.length > 0 && (topics.size > 0 || changes || !words.length));
    if (!asks) return { asks, features: [], columns: [], topics: [...topics], changes: false, words: all };
    return { asks, features: [...features], columns, topics: [...topics], changes, words: words.filter((word) => !(ofVersions.length && VERSION.test(word))) };
  }

  return { parse };
})();
