/* The stack of plots of one chart: uPlot canvases over one axis of runs, built again when their axes change. */
(() => {
  "use strict";
  const trend = (globalThis.xeonperfTrend ??= {});

  const HEIGHT = 250; // of the plot on top, which shows the verdicts
  const LOWER_HEIGHTS = { candidate: 130, baseline: 150 };
  const FONT = "12px system-ui, sans-serif";

  const stroke = (name) => () => trend.colour(name);

  function seriesOf(kind) {
    if (kind !== "speedup") return [{ stroke: stroke(kind), width: 1.6, points: { size: 4, fill: stroke(kind) } }];
    return [
      { stroke: stroke("line-strong"), width: 1.6, points: { show: false } },
      { stroke: "transparent", points: { show: false } },
      { stroke: "transparent", points: { show: false } },
      { stroke: stroke("floor"), width: 1.6, dash: [6, 4], points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }) },
    ];
  }

  function axesOf(spots, state, last) {
    const common = { stroke: stroke("soft"), font: FONT, grid: { stroke: stroke("line"), width: 1 }, ticks: { show: false } };
    return [
      { ...common, show: last, size: 28, space: 64, grid: { show: false }, ...trend.runAxis(spots, state.x) },
      { ...common, size: 56, space: 28, ...trend.valueAxis(state.y) },
    ];
  }

  function options(kind, { data, state, at, width, on }) {
    const { spots, panels } = data;
    const first = kind === panels[0];
    const last = kind === panels[panels.length - 1];
    return {
      width, height: first ? HEIGHT : LOWER_HEIGHTS[kind],
      legend: { show: false },
      padding: [first ? 18 : 8, 14, last ? 0 : 6, 0],
      cursor: {
        sync: { key: data.name }, y: false, points: { show: false },
        drag: { x: true, y: false, setScale: false }, // a zoom shows whole runs: `select` sees to it
      },
      scales: {
        x: { time: false, range: () => trend.ends(at, state.x, state.first, state.last) },
        y: { distr: state.y === "log" ? 3 : 1, range: () => trend.span(data[kind], state.y) },
      },
      axes: axesOf(spots, state, last),
      series: [{}, ...seriesOf(kind)],
      bands: kind === "speedup" ? [{ series: [3, 2], fill: stroke("band") }] : [],
      hooks: {
        drawAxes: [(u) => trend.draw.environments(u, spots, first), (u) => trend.draw.levels(u, spots), (u) => trend.draw.alerts(u, spots)],
        draw: [...(first ? [(u) => trend.draw.verdicts(u, spots)] : []), (u) => trend.draw.pins(u, state)],
        setCursor: first ? [on.cursor] : [],
        setSelect: [on.select],
      },
    };
  }

  /* The runs in the part of a plot that was dragged over, or nothing. */
  function selected(u, at) {
    const { left, width } = u.select;
    const [low, high] = [u.posToVal(left, "x"), u.posToVal(left + width, "x")];
    const seen = at.flatMap((place, index) => (place >= low && place <= high ? [index] : []));
    return seen.length ? [seen[0], seen[seen.length - 1]] : null;
  }

  /* The plots in their box. `on.cursor` gets the index of a run or -1, `on.zoom` the first and the last one. */
  function stack(box, data, state, on) {
    const area = trend.make("div");
    let plots = [];
    let at = [];

    function cursor(u) {
      const index = u.cursor.idx;
      if (plots.length) on.cursor(u.cursor.left < 0 || index == null ? -1 : index);
    }

    function select(u) {
      if (u.select.width <= 0) return;
      const seen = selected(u, at);
      plots.forEach((each) => each.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false));
      if (seen) on.zoom(...seen);
    }

    function build() {
      const width = box.clientWidth;
      area.style.minHeight = `${area.offsetHeight}px`; // so that the page does not jump
      plots.forEach((u) => u.destroy());
      plots = [];
      area.replaceChildren();
      at = trend.places(data.spots, state.x);
      plots = data.panels.map((kind) => {
        area.append(trend.make("p", data[kind].label, "panel-name"));
        const asked = options(kind, { data, state, at, width, on: { cursor, select } });
        return new uPlot(asked, [at, ...trend.drawable(data[kind], state.y)], area);
      });
      area.style.minHeight = "";
    }

    function resize() {
      const { clientWidth } = box;
      for (const u of plots) if (u.width !== clientWidth) u.setSize({ width: clientWidth, height: u.height });
    }

    function rezoom() {
      const [min, max] = trend.ends(at, state.x, state.first, state.last);
      plots.forEach((u) => u.setScale("x", { min, max }));
    }

    box.append(area);
    build();
    return {
      build, rezoom, resize,
      repaint: () => plots.forEach((u) => u.redraw(false)),
      point: (index) => plots.forEach((u) => u.setCursor({ left: u.valToPos(at[index], "x"), top: 10 }, false)),
      left: (index) => plots[0].over.offsetLeft + plots[0].valToPos(at[index], "x"),
    };
  }

  Object.assign(trend, { stack });
})();
