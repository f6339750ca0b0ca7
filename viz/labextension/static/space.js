// Surfaces, points, lines and bars in space, drawn by echarts as flat shapes: the
// options of echarts-gl, which go-echarts has, without WebGL. So they can be
// drawn as SVG, and a page may hold as many as it likes.
(function (global) {
  "use strict";

  const TYPES = { surface: 1, scatter3D: 1, line3D: 1, bar3D: 1, lines3D: 0 };
  const list = v => (v === undefined || v === null ? [] : Array.isArray(v) ? v : [v]);
  const rad = Math.PI / 180;

  // inSpace says whether an option has series in space.
  function inSpace(option) {
    return list(option.series).some(s => TYPES[s.type]);
  }

  // view is the direction from which an option is seen, in degrees: alpha above
  // the floor, beta around it.
  function view(option) {
    const c = (list(option.grid3D)[0] || {}).viewControl || {};
    return { alpha: c.alpha ?? 28, beta: c.beta ?? 35 };
  }

  const value = d => (d && typeof d === "object" && !Array.isArray(d) ? d.value : d);
  const finite = p => Array.isArray(p) && [0, 1, 2].every(i => typeof p[i] === "number" && isFinite(p[i]));

  // A category on an axis counts from 0.
  function numbers(option, data) {
    const names = ["xAxis3D", "yAxis3D", "zAxis3D"].map(k => (list(option[k])[0] || {}).data);
    return list(data).map(d => {
      const v = list(value(d));
      return v.map((x, i) => (names[i] ? Math.max(names[i].findIndex(n => (n && n.value !== undefined ? n.value : n) === x), typeof x === "number" ? x : -1) : x));
    });
  }

  function range(option, points) {
    return ["xAxis3D", "yAxis3D", "zAxis3D"].map((k, i) => {
      const axis = list(option[k])[0] || {}, all = points.map(p => p[i]);
      let low = typeof axis.min === "number" ? axis.min : Math.min(...extremes(all).slice(0, 1));
      let high = typeof axis.max === "number" ? axis.max : extremes(all)[1];
      if (!(high > low)) { low -= 0.5; high = low + 1; }
      return { low, high, name: axis.name || "xyz"[i], names: axis.data };
    });
  }

  function extremes(all) {
    let low = Infinity, high = -Infinity;
    for (const x of all) { if (x < low) low = x; if (x > high) high = x; }
    return isFinite(low) ? [low, high] : [0, 1];
  }

  // camera maps a point of the cube from −1 to 1 to the plane, with its depth. The
  // cube and what is written around it fill the chart.
  function camera(v, width, height, top) {
    const a = v.alpha * rad, b = v.beta * rad;
    const plane = ([x, y, z]) => {
      const u = x * Math.cos(b) - y * Math.sin(b), w = x * Math.sin(b) + y * Math.cos(b);
      const depth = w * Math.cos(a) - z * 0.75 * Math.sin(a); // larger is further away
      const near = 6 / (6 + depth);
      return { x: u * near, y: -(z * 0.75 * Math.cos(a) + w * Math.sin(a)) * near, depth };
    };
    const corners = [0, 1, 2, 3, 4, 5, 6, 7].map(i => plane([i & 1 ? 1.2 : -1.2, i & 2 ? 1.2 : -1.2, i & 4 ? 1.1 : -1.1]));
    const [left, right] = extremes(corners.map(p => p.x)), [up, down] = extremes(corners.map(p => p.y));
    const size = Math.min((width - 40) / (right - left), (height - top - 16) / (down - up));
    const cx = width / 2 - size * (left + right) / 2, cy = top + (height - top) / 2 - size * (up + down) / 2;
    return p => { const q = plane(p); return { x: cx + q.x * size, y: cy + q.y * size, depth: q.depth }; };
  }

  // cells are the quadrilaterals between the points of a surface's grid.
  function cells(points) {
    const xs = [...new Set(points.map(p => p[0]))].sort((a, b) => a - b), ys = [...new Set(points.map(p => p[1]))].sort((a, b) => a - b);
    const at = new Map(points.map(p => [p[0] + "," + p[1], p]));
    const out = [];
    for (let i = 0; i + 1 < xs.length; i++) {
      for (let j = 0; j + 1 < ys.length; j++) {
        const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]].map(([a, b]) => at.get(xs[a] + "," + ys[b]));
        if (corners.every(Boolean)) out.push(corners);
      }
    }
    return out;
  }

  function bar(x, y, z, floor, half) {
    const [x0, x1, y0, y1] = [x - half[0], x + half[0], y - half[1], y + half[1]];
    const ring = h => [[x0, y0, h], [x1, y0, h], [x1, y1, h], [x0, y1, h]];
    const low = ring(floor), high = ring(z);
    return [high, ...[0, 1, 2, 3].map(i => [low[i], low[(i + 1) % 4], high[(i + 1) % 4], high[i]])];
  }

  // project replaces an option's series in space by flat ones.
  function project(option, width, height, seen) {
    if (!inSpace(option)) return;
    const all = list(option.series).map(s => ({ s, points: TYPES[s.type] ? numbers(option, s.data).filter(finite) : [] }));
    const axes = range(option, all.flatMap(e => e.points));
    const top = list(option.title).length || option.legend ? 28 : 0;
    const place = camera(seen || view(option), width, height, top);
    const cube = p => p.map((v, i) => 2 * (v - axes[i].low) / (axes[i].high - axes[i].low) - 1);
    const series = [frameOf(axes, place)];
    all.forEach(({ s, points }, n) => {
      if (!TYPES[s.type]) { if (!s.type.endsWith("3D")) series.push(s); return; }
      const shapes = [];
      const face = (corners, v) => {
        const flat = corners.map(c => place(cube(c)));
        shapes.push({ kind: "polygon", points: flat.map(p => [p.x, p.y]), depth: Math.max(...flat.map(p => p.depth)) + flat.reduce((t, p) => t + p.depth, 0) / 1000, v });
      };
      if (s.type === "surface") {
        for (const c of cells(points)) face(c, [c[0][0], c[0][1], c.reduce((t, p) => t + p[2], 0) / 4]);
      } else if (s.type === "bar3D") {
        const half = [0, 1].map(i => 0.35 * (axes[i].high - axes[i].low) / Math.max(1, new Set(points.map(p => p[i])).size));
        for (const p of points) for (const c of bar(p[0], p[1], p[2], Math.max(0, axes[2].low), half)) face(c, p);
      } else if (s.type === "line3D") {
        for (let i = 0; i + 1 < points.length; i++) {
          const ends = [points[i], points[i + 1]].map(p => place(cube(p)));
          shapes.push({ kind: "line", points: ends.map(p => [p.x, p.y]), depth: (ends[0].depth + ends[1].depth) / 2, v: points[i + 1] });
        }
      } else {
        for (const p of points) {
          const at = place(cube(p));
          shapes.push({ kind: "point", points: [[at.x, at.y]], depth: at.depth, v: p });
        }
      }
      shapes.sort((a, b) => b.depth - a.depth);
      series.push(flatSeries(s, shapes, n));
    });
    option.series = series;
    for (const k of ["grid3D", "xAxis3D", "yAxis3D", "zAxis3D"]) delete option[k];
    for (const v of list(option.visualMap)) { v.dimension = 2; v.seriesIndex = all.map((e, i) => [e.s, i + 1]).filter(([s]) => s.type === "surface" || s.type === "bar3D").map(([, i]) => i); if (v.seriesIndex.length === 0) delete v.seriesIndex; }
  }

  function flatSeries(s, shapes, n) {
    const width = (s.lineStyle || {}).width || 3;
    return {
      type: "custom", coordinateSystem: "none", name: s.name, id: "space" + n, z: s.type === "line3D" || s.type === "scatter3D" ? 3 : 2,
      itemStyle: { ...(s.lineStyle && s.lineStyle.color ? { color: s.lineStyle.color } : {}), ...s.itemStyle }, encode: { tooltip: [0, 1, 2] }, dimensions: ["x", "y", "z"],
      data: shapes.map(e => e.v),
      renderItem(params, api) {
        const e = shapes[params.dataIndex], color = api.visual("color");
        if (!e) return null;
        switch (e.kind) {
          case "point":
            return { type: "circle", shape: { cx: e.points[0][0], cy: e.points[0][1], r: (s.symbolSize || 8) / 2 }, style: { fill: color, stroke: "rgba(255,255,255,.7)", lineWidth: 0.5 } };
          case "line":
            return { type: "polyline", shape: { points: e.points }, style: { stroke: color, fill: "none", lineWidth: width, lineCap: "round" } };
        }
        return { type: "polygon", shape: { points: e.points }, style: { fill: color, stroke: s.wireframe && s.wireframe.show === false ? color : "rgba(15,23,42,.25)", lineWidth: 0.5, lineJoin: "round" } };
      },
    };
  }

  // frameOf draws the floor and the two walls behind, with the axes' names and
  // the values at their ends.
  function frameOf(axes, place) {
    const lines = [], texts = [];
    const line = (a, b, strong) => { const p = [place(a), place(b)]; lines.push({ points: p.map(q => [q.x, q.y]), strong }); };
    const centre = [[-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0]].map(place);
    const bx = centre[0].depth > centre[1].depth ? -1 : 1, by = centre[2].depth > centre[3].depth ? -1 : 1; // the walls behind
    for (const t of [-1, -0.5, 0, 0.5, 1]) {
      const edge = Math.abs(t) === 1;
      line([t, -1, -1], [t, 1, -1], edge); line([-1, t, -1], [1, t, -1], edge);
      line([bx, t, -1], [bx, t, 1], edge); line([bx, -1, t], [bx, 1, t], edge);
      line([t, by, -1], [t, by, 1], edge); line([-1, by, t], [1, by, t], edge);
    }
    const write = (at, text, bold) => { const p = place(at); texts.push({ x: p.x, y: p.y, text, bold }); };
    const name = (axis, t) => {
      const v = axis.low + (axis.high - axis.low) * (t + 1) / 2;
      if (axis.names && axis.names.length) { const n = axis.names[Math.round(v)]; return String(n && n.value !== undefined ? n.value : n ?? "").slice(0, 14); }
      return String(Number(v.toPrecision(3)));
    };
    for (const t of [-0.9, 0, 0.9]) {
      write([t, -by * 1.14, -1], name(axes[0], t));
      write([-bx * 1.14, t, -1], name(axes[1], t));
      write([bx, -by * 1.12, t], name(axes[2], t));
    }
    write([0.5, -by * 1.3, -1], axes[0].name.slice(0, 30), true);
    write([-bx * 1.3, 0.5, -1], axes[1].name.slice(0, 30), true);
    write([bx, -by * 1.05, 1.2], axes[2].name.slice(0, 30), true);
    return {
      type: "custom", coordinateSystem: "none", silent: true, id: "space", data: [0], tooltip: { show: false }, z: 1,
      renderItem: () => ({
        type: "group",
        children: [
          ...lines.map(l => ({ type: "polyline", shape: { points: l.points }, style: { stroke: "#94a3b8", opacity: l.strong ? 0.8 : 0.35, fill: "none", lineWidth: 1 } })),
          ...texts.map(t => ({ type: "text", style: { x: t.x, y: t.y, text: t.text, fill: "#64748b", align: "center", verticalAlign: "middle", fontSize: t.bold ? 12 : 11, fontWeight: t.bold ? 600 : 400 } })),
        ],
      }),
    };
  }

  global.gradbookSpace = { in: inSpace, view, project };
})(typeof window === "undefined" ? globalThis : window);
