// What a chart of Gradbook looks like and how it behaves, on top of echarts. The
// same file runs in JupyterLab, in saved pages, and in the interpreter that draws
// SVG and PNG, so that a chart is the same everywhere.
//
// A chart is data: {option, height, width, panels, frames, still}. Nothing of it
// is run, and no text of it is read as HTML.
(function (global) {
  "use strict";

  const DEFAULT_HEIGHT = 360;
  const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', sans-serif";
  const PALETTE = ["#2563eb", "#f06a02", "#167238", "#c92006", "#8b4a84", "#3d95fa", "#c70cbd", "#ad86a5", "#789d61", "#817673"];

  // tick is a number at an axis: without separators up to four digits, so that years
  // are years, and as a power of ten where it would be long.
  const tick = value => number(value, 1e9), logTick = value => number(value, 1e6);
  function number(value, long) {
    const size = Math.abs(value);
    if (!Number.isFinite(value)) return String(value);
    const exact = Number(value.toPrecision(12));
    if (size !== 0 && (size >= long || size < 1e-4)) {
      const power = exact.toExponential().replace("e+", "e");
      if (power.length < 9) return power; // else it is a number among others much like it
    }
    const [whole, part] = String(exact).split(".");
    const grouped = size < 1e4 ? whole : whole.replace(/\B(?=(\d{3})+$)/g, ",");
    return part ? grouped + "." + part : grouped;
  }

  // theme is echarts' theme for a light or a dark page.
  function theme(dark) {
    const ink = dark ? "#e2e8f0" : "#1e293b", soft = dark ? "#94a3b8" : "#64748b";
    const line = dark ? "#475569" : "#cbd5e1", faint = dark ? "#2a3646" : "#eef2f6";
    const axis = {
      axisLine: { lineStyle: { color: line } },
      axisTick: { lineStyle: { color: line } },
      axisLabel: { color: soft, overflow: "truncate", width: 110, hideOverlap: true },
      nameTextStyle: { color: soft },
      splitLine: { lineStyle: { color: faint } },
      splitArea: { show: false },
    };
    return {
      darkMode: dark,
      color: PALETTE,
      textStyle: { fontFamily: FONT, color: ink },
      title: {
        textStyle: { color: ink, fontSize: 14, fontWeight: 600, overflow: "truncate" },
        subtextStyle: { color: soft, fontSize: 12, overflow: "truncate" },
      },
      legend: {
        type: "scroll", textStyle: { color: ink, width: 180, overflow: "truncate" }, inactiveColor: line,
        pageTextStyle: { color: soft }, pageIconColor: soft, pageIconInactiveColor: line, itemWidth: 18, itemHeight: 10, itemGap: 16,
      },
      categoryAxis: { ...axis, splitLine: { show: false } },
      valueAxis: { ...axis, axisLabel: { ...axis.axisLabel, formatter: tick } }, logAxis: { ...axis, axisLabel: { ...axis.axisLabel, formatter: logTick } }, timeAxis: axis,
      visualMap: { textStyle: { color: soft } },
      tooltip: { backgroundColor: dark ? "#1e293b" : "#ffffff", borderColor: line, textStyle: { color: ink, fontSize: 13 } },
      radar: { axisName: { color: soft }, splitLine: { lineStyle: { color: faint } }, splitArea: { show: false }, axisLine: { lineStyle: { color: faint } } },
      parallel: { axisLine: { lineStyle: { color: line } } },
      calendar: { itemStyle: { borderColor: faint, color: "transparent" }, dayLabel: { color: soft }, monthLabel: { color: soft }, yearLabel: { color: soft } },
      line: { symbolSize: 5 },
      graph: { lineStyle: { color: soft } },
    };
  }

  // short is a number as one wants to read it.
  function short(value) {
    return typeof value === "number" ? String(Number(value.toPrecision(5))) : String(value ?? "–");
  }

  // clean returns an option without what could open a page, load something from
  // another host or be taken for HTML, wherever in the option it is.
  function clean(value, key) {
    switch (key) {
      case "link":
      case "sublink":
      case "dataView": // puts texts into the page as HTML
      case "toolbox": // there are buttons of our own
      case "renderItem":
        return undefined;
      case "image": // of a graphic or a pattern
        return typeof value === "string" && value.startsWith("data:image/") ? value : undefined;
      case "tooltip":
        return tip(value);
    }
    if (typeof value === "string") {
      return value.startsWith("image://") && !value.startsWith("image://data:image/") ? "none" : value;
    }
    if (Array.isArray(value)) return value.map(v => clean(v, key));
    if (value && typeof value === "object") {
      const out = {};
      for (const k of Object.keys(value)) out[k] = clean(value[k], k);
      return out;
    }
    return value;
  }

  // tip is a tooltip of which only the behaviour is the data's. echarts would put
  // its texts into the page as HTML, and its colours into styles as they are.
  function tip(value) {
    if (Array.isArray(value)) return value.map(tip);
    if (typeof value === "string") return { formatter: words(value) };
    if (!value || typeof value !== "object") return undefined;
    const out = {};
    for (const k of ["show", "trigger", "triggerOn", "order", "showDelay", "hideDelay", "axisPointer"]) {
      if (value[k] !== undefined) out[k] = clean(value[k], k);
    }
    const template = typeof value.formatter === "string" ? value.formatter : null;
    if (template !== null || out.show !== undefined || out.trigger !== undefined) out.formatter = words(template);
    return out;
  }

  // words makes the function that fills a tooltip: with the item's own words, with
  // the template's, or with names and values. It returns elements, not HTML.
  function words(template) {
    return params => {
      const all = (Array.isArray(params) ? params : [params]).filter(Boolean);
      const box = document.createElement("div");
      box.style.cssText = "max-width:32em;max-height:24em;overflow:hidden;white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.5";
      const row = (text, strong) => {
        const r = box.appendChild(document.createElement("div"));
        r.textContent = text.length > 2000 ? text.slice(0, 2000) + "…" : text;
        if (strong) r.style.fontWeight = "600";
        return r;
      };
      if (all.length === 0) return box;
      const own = all.filter(p => p.data && typeof p.data === "object" && typeof p.data.words === "string");
      if (own.length > 0) {
        for (const p of own) row(p.data.words);
        return box;
      }
      if (template !== null) {
        const p = all[0];
        const values = { a: p.seriesName, b: p.name, c: [].concat(p.value).map(short).join(", "), d: p.percent };
        row(template.replace(/<br\s*\/?>/gi, "\n").replace(/\{([abcd])\d*\}/g, (whole, k) => String(values[k] ?? "")));
        return box;
      }
      const head = all[0].axisValueLabel ?? all[0].name;
      if (head !== undefined && head !== "") row(String(head), true);
      for (const p of all) {
        const name = p.seriesName && !/^series\u0000/.test(p.seriesName) ? p.seriesName : "";
        const r = row((name ? name + "  " : "") + shown(p));
        if (typeof p.color === "string") {
          const dot = document.createElement("span");
          dot.style.cssText = "display:inline-block;width:9px;height:9px;border-radius:50%;margin-right:6px";
          dot.style.backgroundColor = p.color;
          r.prepend(dot);
        }
      }
      return box;
    };
  }

  // shown is the value of what is pointed at.
  function shown(p) {
    let v = p.value;
    if (v && typeof v === "object" && !Array.isArray(v)) v = v.value;
    if (!Array.isArray(v)) return short(v);
    const y = p.encode && p.encode.y && p.axisValueLabel !== undefined ? p.encode.y.map(i => v[i]) : v;
    return y.map(short).join(", ");
  }

  const list = v => (v === undefined || v === null ? [] : Array.isArray(v) ? v : [v]);

  // layout places a chart's panels for a width, and says how high the chart is.
  // Panels have a title and a grid each; as many as fit stand side by side.
  function layout(option, data, width) {
    const p = data.panels;
    if (!p) return Number(data.height) > 0 ? Math.min(Number(data.height), 4000) : DEFAULT_HEIGHT;
    const n = list(option.grid).length, margin = { left: p.left ?? 52, right: p.right ?? 18, top: 34, bottom: p.bottom ?? 40 };
    const columns = Math.max(1, Math.min(p.columns || n, n, Math.floor(width / (p.least || 240))));
    const column = width / columns, above = p.above ?? 28, titles = list(option.title);
    const inner = column - margin.left - margin.right;
    let high = p.height || 200, wide = inner;
    if (p.aspect) { // width by height
      wide = Math.min(inner, high * p.aspect);
      high = wide / p.aspect;
    }
    const row = margin.top + high + margin.bottom;
    list(option.grid).forEach((grid, i) => {
      const left = (i % columns) * column + margin.left + (p.aspect ? (inner - wide) / 2 : 0);
      const top = above + Math.floor(i / columns) * row;
      Object.assign(grid, { left, top: top + margin.top, width: wide, height: high, right: undefined, bottom: undefined, containLabel: false });
      if (titles[i]) {
        Object.assign(titles[i], { left: left + wide / 2, top: top + 4, textAlign: "center", padding: 0 });
        titles[i].textStyle = { fontSize: 13, width: column - 16, ...titles[i].textStyle };
      }
    });
    return above + Math.ceil(n / columns) * row + (p.below || 0);
  }

  // legends gives a legend of a few rows its room above what is drawn, and has a longer one
  // turn pages in a row, but in a picture, which has no pages. It says how much higher the
  // chart is for it.
  function legends(option, data, width, still) {
    let more = 0;
    for (const legend of list(option.legend)) {
      if (legend.show === false || legend.orient === "vertical" || legend.bottom !== undefined || legend.type === "scroll") continue;
      const names = list(legend.data).length ? list(legend.data) : [...new Set(list(option.series).map(s => s.name).filter(n => n !== undefined))];
      const longest = Math.max(80, Math.min(300, width - 60));
      legend.textStyle = { ...legend.textStyle, width: longest, overflow: "truncate" };
      let rows = 1, at = 0;
      for (const name of names) {
        const text = String(typeof name === "object" ? name.name : name);
        let long = 0;
        for (const c of text) long += c.codePointAt(0) > 0x2e80 ? 13 : 7.2;
        const item = 23 + Math.min(long, longest) + (still ? 26 : 16);
        if (at > 0 && at + item > width - 10) { rows++; at = 0; }
        at += item;
      }
      if (still) legend.itemGap = 26; // its fonts may be wider than those that are measured
      if (rows > 3 && !still) {
        legend.type = "scroll";
        rows = 1;
      }
      more = Math.max(more, (rows - 1) * (still ? 36 : 26)); // a row and its gap
    }
    if (more === 0) return 0;
    if (data.panels) return more;
    for (const grid of list(option.grid)) {
      if (typeof grid.top === "number" || grid.top === undefined) grid.top = (grid.top ?? 60) + more;
    }
    return more;
  }

  // flame draws the parts of a flame chart ({data: [{value: [from, to, depth], name, color}]}).
  function flame(s) {
    const parts = s.data;
    Object.assign(s, { type: "custom", clip: true, encode: { x: [0, 1], y: 2 }, renderItem(params, api) {
      const part = parts[params.dataIndex];
      const [x0, y0] = api.coord([api.value(0), api.value(2)]), [x1, y1] = api.coord([api.value(1), api.value(2) + 1]);
      const width = Math.max(1, x1 - x0 - 1), height = Math.max(1, y1 - y0 - 1);
      return {
        type: "rect", shape: { x: x0, y: y0, width, height, r: 1 }, style: { fill: part.color },
        emphasis: { style: { stroke: "#0f172a", lineWidth: 1 } },
        textContent: width < 24 ? undefined : { type: "text", style: { text: part.name, fill: "#1e293b", fontSize: 11, width: width - 6, overflow: "truncate" } },
        textConfig: { position: "insideLeft", distance: 3 },
      };
    } });
  }

  // shapes makes of four types of our own what echarts can draw, a flame chart and three others. Between two places
  // of the axes ({type, data: [[x, y], [x, y]]}) are "raster", an image, and "window",
  // a frame around cells; with cells, the places are those of cells, which are
  // covered whole. "band" fills what lies between two curves ({data: [[x, low, high]]}).
  function shapes(option) {
    for (const s of list(option.series)) {
      if (s.type === "flame") {
        flame(s);
        continue;
      }
      if (s.type === "band") {
        const { color, opacity, data } = s, points = data.filter(p => p.every(v => typeof v === "number"));
        Object.assign(s, { type: "custom", clip: true, silent: true, tooltip: { show: false }, encode: { x: 0, y: [1, 2] }, renderItem(params, api) {
          if (params.dataIndex !== 0) return null;
          const edge = [...points.map(p => api.coord([p[0], p[2]])), ...points.slice().reverse().map(p => api.coord([p[0], p[1]]))];
          return { type: "polygon", shape: { points: edge }, style: { fill: color, opacity: opacity ?? 0.2 } };
        } });
        continue;
      }
      if (s.type !== "raster" && s.type !== "window") continue;
      const { type, image, color, opacity, cells } = s, ends = s.data;
      Object.assign(s, { type: "custom", clip: type === "raster", silent: true, tooltip: { show: false }, image: undefined, renderItem(params, api) {
        if (params.dataIndex !== 0 || ends.length !== 2) return null;
        const [a, b] = ends.map(p => api.coord(p)), half = cells ? api.size([1, 1]).map(v => v / 2) : [0, 0];
        const x = Math.min(a[0], b[0]) - half[0], y = Math.min(a[1], b[1]) - half[1];
        const width = Math.abs(a[0] - b[0]) + 2 * half[0], height = Math.abs(a[1] - b[1]) + 2 * half[1];
        if (type === "window") return { type: "rect", shape: { x, y, width, height, r: 2 }, style: { fill: "none", stroke: color, lineWidth: 3 } };
        return { type: "image", style: { image, x, y, width, height, opacity: opacity ?? 1 } };
      } });
    }
  }

  // prepare makes echarts' option of a chart's data, for a width, and says how high
  // it is drawn. view is the direction from which things in space are seen.
  function prepare(data, width, view, still) {
    const option = clean(data.option);
    option.backgroundColor = "transparent";
    option.aria = { enabled: false }; // the words that come with the chart say more
    const more = legends(option, data, width, still);
    const height = data.panels
      ? layout(option, { ...data, panels: { ...data.panels, above: (data.panels.above ?? 28) + more } }, width)
      : narrowed(option, data, layout(option, data, width), width) + more;
    for (const t of list(option.title)) {
      t.textStyle = { width: width - 24, ...t.textStyle };
      t.subtextStyle = { width: width - 24, ...t.subtextStyle };
    }
    for (const t of list(option.tooltip)) t.confine = true;
    shapes(option);
    if (global.gradbookSpace) global.gradbookSpace.project(option, width, height, view);
    return { option, height };
  }

  // narrowed is the height of a matrix whose page is narrower than it is: its cells keep
  // their shape.
  function narrowed(option, data, height, width) {
    const grid = list(option.grid)[0];
    if (!(data.width > width) || list(option.grid).length !== 1 || list(option.series)[0]?.type !== "heatmap") return height;
    const beside = (Number(grid.left) || 0) + (Number(grid.right) || 0), above = (Number(grid.top) || 0) + (Number(grid.bottom) || 0);
    const scale = (width - beside) / (data.width - beside);
    return scale > 0 && scale < 1 ? Math.max(160, above + (height - above) * scale) : height;
  }

  // frame makes the option by which a frame differs from its chart.
  function frame(data, i, width, view) {
    const option = clean(data.frames[i].option);
    if (global.gradbookSpace && global.gradbookSpace.in(data.option)) {
      const whole = { ...clean(data.option), ...option };
      global.gradbookSpace.project(whole, width, prepare(data, width, view).height, view);
      return { series: whole.series };
    }
    shapes(option);
    return option;
  }

  // still is the frame that a picture shows: the last, unless the chart says
  // otherwise.
  function still(data) {
    const n = (data.frames || []).length;
    return data.still === undefined ? n - 1 : Math.max(0, Math.min(n - 1, data.still));
  }

  // draw draws a chart as a picture that does not move.
  function draw(chart, data, width, view) {
    const { option, height } = prepare(data, width, view, true);
    chart.resize({ width, height });
    option.animation = false;
    for (const s of list(option.series)) {
      s.progressive = 0; // all of it now
      if (s.type === "effectScatter") s.type = "scatter"; // ripples move
    }
    delete option.tooltip;
    option.backgroundColor = "#ffffff";
    chart.setOption(option, { notMerge: true });
    if (data.frames && data.frames.length) chart.setOption({ ...frame(data, still(data), width, view), animation: false });
  }

  // measure is how echarts measures a text in a canvas. It takes the width of 国 for
  // the height of a line; where no font has that character, its width is that of the
  // box in its place, and all text would stand too high.
  function measure(canvas) {
    const pen = canvas.getContext("2d");
    let last; // to set a font takes long
    return (text, font) => {
      font ||= "12px sans-serif";
      if (text === "国") return { width: parseFloat(/([\d.]+)px/.exec(font)?.[1] ?? 12) };
      if (font !== last) last = pen.font = font;
      return pen.measureText(text);
    };
  }

  global.gradbookChart = { theme, prepare, frame, still, draw, short, measure, DEFAULT_HEIGHT };
})(typeof window === "undefined" ? globalThis : window);
