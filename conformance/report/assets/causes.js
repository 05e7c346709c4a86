// A cause of new failures, when it is opened: the signed error of its smallest case.
"use strict";
const Causes = (() => {
  function listen(index, matrix) {
    for (const cause of document.querySelectorAll(".cause")) {
      const place = cause.querySelector(".worst");
      const draw = async () => {
        if (!cause.open || place.dataset.drawn !== undefined) return;
        place.dataset.drawn = "";
        const row = matrix.rows.find(({ name }) => name === cause.dataset.case);
        const picture = row ? await CaseView.error(row, index, cause.dataset.on) : null;
        if (picture) place.append(picture);
      };
      cause.addEventListener("toggle", draw);
      draw();
    }
  }

  return { listen };
})();
