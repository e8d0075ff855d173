/* Mouse and keys of a chart: what each asks for is done elsewhere. */
(() => {
  "use strict";
  const trend = (globalThis.xeonperfTrend ??= {});

  const DOUBLE_CLICK_MS = 300;

  /* Keys count while the chart itself has the focus. */
  function listenToKeys(box, keys) {
    box.addEventListener("keydown", (event) => {
      if (!Object.hasOwn(keys, event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key]();
    });
  }

  /* A click chooses a run; a double click shows all runs, and takes back what its first click did. */
  function listenToClicks(box, state, { choose, all, stay }) {
    let before = {};
    box.addEventListener("click", (event) => {
      if (event.detail > 1 || !event.target.classList.contains("u-over")) return;
      before = { pin: state.pin, other: state.other };
      choose(DOUBLE_CLICK_MS);
    });
    box.addEventListener("dblclick", (event) => {
      if (!event.target.classList.contains("u-over")) return; // its first click was none, and `before` is of another
      stay();
      Object.assign(state, before);
      all();
    });
  }

  Object.assign(trend, { listenToKeys, listenToClicks });
})();
