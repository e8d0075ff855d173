/* What a reader chooses on a chart: the runs in view, the one that is pinned, the one it is compared with. */
(() => {
  "use strict";
  const trend = (globalThis.xeonperfTrend ??= {});

  /* What is in view, made narrower or wider by whole runs; `around` keeps its place if it is in view. */
  function scaled(state, count, factor, around) {
    const shown = state.last - state.first + 1;
    const wanted = Math.max(1, Math.min(count, Math.round(shown * factor)));
    const middle = around < state.first || around > state.last ? (state.first + state.last) / 2 : around;
    const share = shown > 1 ? (middle - state.first) / (shown - 1) : 0.5;
    const first = Math.max(0, Math.min(Math.round(middle - share * (wanted - 1)), count - wanted));
    return [first, first + wanted - 1];
  }

  /* What is in view, moved as little as brings a run into it. */
  function moved(state, index) {
    const width = state.last - state.first;
    return index < state.first ? [index, index + width] : [index - width, index];
  }

  /* `changed` is called when something is pinned or let go, `leave` with the page that compares two runs. */
  function chooser(data, state, changed, leave) {
    function unpin() {
      Object.assign(state, { pin: -1, other: -1 });
      changed();
    }

    function address(index) {
      const [base, head] = [state.pin, index].map((each) => trend.runOf(data.spots[each]));
      return data.compare && base && head ? `${data.compare}?${new URLSearchParams({ base, head })}` : "";
    }

    /* The first choice pins, the second compares; what is chosen twice is let go. A run without values is no choice. */
    function choose(index, delay_ms = 0) {
      if (index < 0 || data.spots[index].gap) return;
      if (state.pin === index) {
        unpin();
        return;
      }
      const target = state.pin < 0 ? "" : address(index);
      if (target) leave(target, delay_ms);
      else if (state.pin < 0) state.pin = index;
      else state.other = state.other === index ? -1 : index;
      changed();
    }

    return { choose, unpin };
  }

  Object.assign(trend, { scaled, moved, chooser });
})();
