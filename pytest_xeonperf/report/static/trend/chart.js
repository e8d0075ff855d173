/* Trend charts: each takes the data from the JSON elements that it names, shows its plots, and does what mouse, keys and
   buttons ask for. The words in the data are ready to be shown. */
(() => {
  "use strict";
  const trend = (globalThis.xeonperfTrend ??= {});

  /* Going to another page, at once or when it is clear that a click is no double click. */
  function journey(flush) {
    let waiting = null;
    const stay = () => clearTimeout(waiting);
    function leave(target, delay_ms) {
      stay();
      flush();
      waiting = setTimeout(() => { location.href = target; }, delay_ms);
    }
    return { leave, stay };
  }

  function mount(box) {
    const data = trend.unpacked(box.dataset.chart);
    const { spots } = data;
    const state = trend.readState(box.dataset.state, spots);
    const address = trend.writer(box.dataset.state, spots);
    const { leave, stay } = journey(address.flush);
    const tip = trend.tooltip(box, data, state);
    let current = -1; // the run that the tooltip is about

    function show(index) {
      current = spots[index] ? index : -1;
      tip.place(current, current < 0 ? 0 : plots.left(current));
    }

    /* Around the plots: buttons, what is pinned, the address. */
    function tellState() {
      tools.update(state, spots.length);
      board.update();
      address.later(state);
    }

    function choiceChanged() {
      tellState();
      plots.repaint();
      show(current);
    }

    /* Plots take up a new view when the script rests; the cursor shall be on the same run then. */
    function keepingCursor(change) {
      const kept = current;
      change();
      tellState();
      if (kept >= 0) queueMicrotask(() => step(kept));
    }

    function zoom(first, last) {
      Object.assign(state, { first, last });
      plots.rezoom();
      tellState();
    }

    function step(to) {
      const index = Math.max(0, Math.min(to, spots.length - 1));
      if (index < state.first || index > state.last) {
        current = index;
        keepingCursor(() => zoom(...trend.moved(state, index)));
        return;
      }
      plots.point(index);
      show(index);
    }

    function flip(axis, value) {
      state[axis] = state[axis] === value ? "" : value;
      keepingCursor(plots.build);
    }

    const act = {
      zoomIn: () => keepingCursor(() => zoom(...trend.scaled(state, spots.length, 0.5, current))),
      zoomOut: () => keepingCursor(() => zoom(...trend.scaled(state, spots.length, 2, current))),
      all: () => keepingCursor(() => zoom(0, spots.length - 1)),
      log: () => flip("y", "log"),
      zero: () => flip("y", "zero"),
      date: () => flip("x", "date"),
      download: () => trend.download(data, document.title.replace(/^\W+/, "")),
      open: () => { if (current >= 0 && spots[current].href) leave(spots[current].href, 0); },
      letGo: () => (state.pin < 0 ? show(-1) : chosen.unpin()),
    };
    const chosen = trend.chooser(data, state, choiceChanged, leave);
    const board = trend.pinboard(data, state, () => { chosen.unpin(); box.focus(); });
    const tools = trend.tools(`View of the chart: ${box.dataset.name}`, act);
    const plots = trend.stack(box, data, state, { cursor: show, zoom });
    box.append(tip.element);
    box.before(tools.row);
    box.closest("figure").after(board.element);
    tellState();

    trend.listenToKeys(box, {
      ArrowLeft: () => step(current < 0 ? state.last : current - 1),
      ArrowRight: () => step(current < 0 ? state.first : current + 1),
      Home: () => step(0),
      End: () => step(spots.length - 1),
      Escape: act.letGo, Enter: act.open, " ": () => chosen.choose(current),
      "+": act.zoomIn, "=": act.zoomIn, "-": act.zoomOut, 0: act.all, l: act.log, z: act.zero, d: act.date,
    });
    trend.listenToClicks(box, state, {
      choose: (delay_ms) => chosen.choose(current, delay_ms),
      all: () => { zoom(0, spots.length - 1); choiceChanged(); },
      stay,
    });
    box.addEventListener("blur", () => show(-1));
    addEventListener("hashchange", () => {
      if (location.hash && !location.hash.includes("=")) return; // a place on the page
      Object.assign(state, trend.readState(box.dataset.state, spots));
      keepingCursor(plots.build);
    });
    new ResizeObserver(plots.resize).observe(box);
    for (const query of ["(prefers-color-scheme: dark)", "print"]) {
      matchMedia(query).addEventListener("change", plots.repaint);
    }
  }

  document.querySelectorAll("[data-chart]").forEach(mount);
})();
