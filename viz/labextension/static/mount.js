// A chart in a page: it is drawn when it comes into view, follows the width of
// what it is in and the page's theme, has a slider if it has frames, turns if it
// is in space, and can be zoomed and saved.
(function (global) {
  "use strict";

  const { theme, prepare, frame, still, measure } = global.gradbookChart;
  let measureText; // one for all charts: a browser has few canvases
  const FAR = "1000px"; // a chart further away than this holds no canvas

  const STYLE = `
.gradbook-chart { position: relative; width: 100%; padding: 4px 0; box-sizing: border-box; color: var(--jp-ui-font-color1, currentColor); }
.gradbook-chart-tools { position: absolute; right: 6px; top: 2px; display: flex; gap: 2px; opacity: 0; transition: opacity .15s; z-index: 1; }
.gradbook-chart:hover > .gradbook-chart-tools, .gradbook-chart-tools:focus-within { opacity: 1; }
.gradbook-chart button { display: inline-flex; align-items: center; justify-content: center; width: 26px; height: 24px; padding: 0; cursor: pointer; color: inherit;
  background: var(--jp-layout-color1, Canvas); border: 1px solid var(--jp-border-color1, #cbd5e1); border-radius: 4px; }
.gradbook-chart button:hover { background: var(--jp-layout-color2, #f1f5f9); color: var(--jp-ui-font-color0, #0f172a); }
.gradbook-chart button[aria-pressed=true] { border-color: #2563eb; color: #2563eb; }
.gradbook-chart-frames { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 8px; max-width: 760px; padding: 0 8px 4px; font: 13px system-ui, sans-serif; }
.gradbook-chart-frames input { flex: 1 1 12em; min-width: 60px; accent-color: #2563eb; }
.gradbook-chart-frames output { flex: 1 1 20em; overflow-wrap: anywhere; }`;

  function addStyle() {
    if (document.getElementById("gradbook-chart-style")) return;
    const style = document.createElement("style");
    style.id = "gradbook-chart-style";
    style.textContent = STYLE;
    document.head.appendChild(style);
  }

  function element(parent, tag, attributes) {
    const e = document.createElement(tag);
    for (const [k, v] of Object.entries(attributes || {})) e.setAttribute(k, v);
    return parent.appendChild(e);
  }

  // The buttons' signs, as paths in a square of 16.
  const ICONS = {
    zoom: "M2 6V2h4 M10 2h4v4 M14 10v4h-4 M6 14H2v-4",
    reset: "M3 8a5 5 0 1 0 2-4 M5 1v3.4h3.4",
    save: "M8 2v8 M4.5 7 8 10.5 11.5 7 M2.5 13.5h11",
    play: "M4 2.5v11l9.5-5.5z",
    pause: "M5 3v10 M11 3v10",
  };

  function icon(button, name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    for (const [k, v] of Object.entries({ viewBox: "0 0 16 16", width: 14, height: 14, fill: "none", stroke: "currentColor", "stroke-width": 1.6, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": true })) svg.setAttribute(k, v);
    path.setAttribute("d", ICONS[name]);
    svg.appendChild(path);
    button.replaceChildren(svg);
  }

  // What the controls say, in the page's language.
  const WORDS = { zh: {
    "Zoom: drag over a part": "放大：拖选一部分", "Show all again": "显示全部", "Save as an image": "存为图片",
    "Play": "播放", "Pause": "暂停", "Step": "步", "chart": "图表", "cannot be drawn": "无法绘制",
  } };
  const say = words => (WORDS[document.documentElement.lang.slice(0, 2)] || {})[words] || words;

  const slow = () => global.matchMedia && global.matchMedia("(prefers-reduced-motion: reduce)").matches;

  class Mounted {
    // load returns a promise of echarts, dark says whether the page is dark.
    constructor(node, { load, dark }) {
      addStyle();
      Object.assign(this, { node, load, dark, chart: null, data: null, at: -1, visible: false, view: null, width: 0 });
      node.classList.add("gradbook-chart");
      node.setAttribute("data-lm-suppress-shortcuts", "true"); // arrows are the slider's
      this.tools = element(node, "div", { class: "gradbook-chart-tools" });
      this.box = element(node, "div", { class: "gradbook-chart-box", role: "img" });
      this.seen = new IntersectionObserver(entries => {
        this.visible = entries[entries.length - 1].isIntersecting;
        if (this.visible) this.draw();
        else this.free();
      }, { rootMargin: FAR });
      this.resized = new ResizeObserver(() => {
        const width = this.box.clientWidth; // 0 if hidden, behind another tab
        if (width > 0 && this.visible && (!this.chart || width !== this.width)) this.draw(true);
      });
      this.seen.observe(this.box);
      this.resized.observe(node);
      this.turning();
    }

    // set shows a chart, or the same with other data; words say what is seen.
    set(data, words) {
      this.words = String(words || say("chart"));
      if (!data || typeof data !== "object" || !data.option || typeof data.option !== "object") {
        this.data = null;
        this.fail(new Error("it has no option"));
        return Promise.resolve();
      }
      this.data = data;
      this.box.setAttribute("aria-label", String(words || say("chart")).slice(0, 4000));
      this.box.style.maxWidth = Number(data.width) > 0 ? Number(data.width) + "px" : "";
      const guess = data.panels ? 300 : Number(data.height) || global.gradbookChart.DEFAULT_HEIGHT;
      if (!this.width) this.box.style.height = guess + "px";
      this.controls();
      return this.visible ? this.draw(true) : Promise.resolve();
    }

    // draw draws the chart if it is not drawn, or again; what cannot be drawn is told.
    draw(again) {
      return this.paint(again).catch(e => this.fail(e));
    }

    // fail shows the words of a chart that cannot be drawn.
    fail(e) {
      this.free();
      this.data = null;
      this.tools.replaceChildren();
      this.box.style.height = "auto";
      this.box.setAttribute("role", "note");
      this.box.textContent = `${this.words}\n(${say("cannot be drawn")}: ${e?.message || e})`;
      this.box.style.whiteSpace = "pre-wrap";
    }

    async paint(again) {
      if (!this.data) return;
      const lib = await this.load();
      if (!this.seen || !this.box.isConnected) return;
      const width = this.box.clientWidth;
      if (width === 0 && this.visible) {
        // While a theme is changed all is without size for a moment, which is too
        // short for the observers to see.
        this.later ??= setTimeout(() => { this.later = null; if (this.visible) this.draw(again); }, 60);
      }
      if (width === 0 || (this.chart && !again)) return;
      const { option, height } = prepare(this.data, width, this.view);
      this.box.style.height = height + "px";
      this.width = width;
      if (!this.chart) {
        measureText ??= measure(document.createElement("canvas"));
        lib.setPlatformAPI({ measureText });
        this.chart = lib.init(this.box, theme(this.dark()), { renderer: "canvas" });
        this.kind = null;
      } else {
        this.chart.resize({ width, height });
      }
      option.animation = false;
      if (zooms(option)) option.toolbox = { show: true, left: -1000, feature: { dataZoom: { filterMode: "none" }, restore: {} } };
      // An option of the same kind is merged: nothing flickers, and what is
      // pointed at stays. Otherwise a series that is gone must go.
      const kind = shape(option);
      this.chart.setOption(option, { notMerge: kind !== this.kind });
      this.kind = kind;
      if (this.frames) this.show(this.at, true);
    }

    // show shows a frame.
    show(i, at_once) {
      const n = this.data.frames.length;
      this.at = Math.max(0, Math.min(n - 1, i));
      this.slider.value = this.at;
      this.label.textContent = this.data.frames[this.at].name;
      this.slider.setAttribute("aria-valuetext", this.data.frames[this.at].name);
      if (!this.chart) return;
      const moving = !at_once && !slow();
      this.chart.setOption({ animation: moving, animationDurationUpdate: 250, ...frame(this.data, this.at, this.width, this.view) });
    }

    // controls makes the buttons, and the slider of a chart with frames.
    controls() {
      this.tools.replaceChildren();
      const button = (sign, title, act) => {
        const b = element(this.tools, "button", { type: "button", title, "aria-label": title });
        icon(b, sign);
        b.onclick = () => act(b);
      };
      if (zooms(this.data.option)) {
        button("zoom", say("Zoom: drag over a part"), b => {
          const on = b.getAttribute("aria-pressed") !== "true";
          b.setAttribute("aria-pressed", on);
          this.chart?.dispatchAction({ type: "takeGlobalCursor", key: "dataZoomSelect", dataZoomSelectActive: on });
        });
        button("reset", say("Show all again"), () => { this.free(); this.draw(); this.controls(); });
      }
      button("save", say("Save as an image"), () => this.save());
      const n = (this.data.frames || []).length;
      if (n === 0) {
        if (this.frames) this.stop();
        this.frames?.remove();
        this.frames = null;
        return;
      }
      if (!this.frames) {
        this.frames = element(this.node, "div", { class: "gradbook-chart-frames" });
        this.play = element(this.frames, "button", { type: "button", "aria-label": say("Play") });
        icon(this.play, "play");
        this.slider = element(this.frames, "input", { type: "range", min: 0, step: 1, "aria-label": say("Step") });
        this.label = element(this.frames, "output");
        this.slider.oninput = () => { this.stop(); this.show(Number(this.slider.value)); };
        this.play.onclick = () => (this.playing ? this.stop() : this.start());
      }
      this.slider.max = n - 1;
      this.show(this.at < 0 || this.at >= n ? still(this.data) : this.at, true);
    }

    start() {
      if (this.at === this.data.frames.length - 1) this.show(0);
      icon(this.play, "pause");
      this.play.setAttribute("aria-label", say("Pause"));
      this.playing = setInterval(() => {
        if (!this.box.isConnected || this.at >= this.data.frames.length - 1) this.stop();
        else this.show(this.at + 1);
      }, 700);
    }

    stop() {
      clearInterval(this.playing);
      this.playing = null;
      icon(this.play, "play");
      this.play.setAttribute("aria-label", say("Play"));
    }

    // turning lets the pointer turn what is in space.
    turning() {
      const space = global.gradbookSpace;
      let from = null;
      this.box.addEventListener("pointerdown", e => {
        if (!this.data || !space || !space.in(this.data.option)) return;
        from = { x: e.clientX, y: e.clientY, view: this.view || space.view(this.data.option) };
        this.box.setPointerCapture(e.pointerId);
      });
      this.box.addEventListener("pointermove", e => {
        if (!from) return;
        this.view = {
          beta: from.view.beta + (e.clientX - from.x) / 2,
          alpha: Math.max(-5, Math.min(90, from.view.alpha + (e.clientY - from.y) / 2)),
        };
        this.draw(true);
      });
      for (const end of ["pointerup", "pointercancel"]) this.box.addEventListener(end, () => { from = null; });
    }

    save() {
      if (!this.chart) return;
      const a = document.createElement("a");
      a.href = this.chart.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: this.dark() ? "#111827" : "#ffffff" });
      a.download = "chart.png";
      a.click();
    }

    // restyle draws the chart in the theme that the page has now.
    restyle() {
      if (!this.chart) return;
      this.free();
      this.draw();
    }

    // free gives the canvas back.
    free() {
      this.chart?.dispose();
      this.chart = null;
    }

    dispose() {
      clearInterval(this.playing);
      clearTimeout(this.later);
      this.seen?.disconnect();
      this.resized?.disconnect();
      this.seen = this.resized = null;
      this.free();
    }
  }

  // shape is what an option has, but for its values: merged with another of the same
  // shape, nothing of the other stays.
  function shape(option) {
    return Object.keys(option).sort().map(k => k + [].concat(option[k] ?? []).map(c =>
      c && typeof c === "object" ? "{" + Object.keys(c).sort().join() + (c.type || "") + "}" : "").join("")).join(";");
  }

  // zooms says whether a chart has axes along which one can zoom.
  function zooms(option) {
    const series = [].concat(option.series || []);
    return Boolean(option.grid || option.xAxis) && !option.xAxis3D &&
      series.some(s => ["line", "scatter", "bar", "effectScatter", "candlestick"].includes(s.type)) && !series.some(s => s.type === "graph");
  }

  global.gradbookChart.mount = (node, host) => new Mounted(node, host);
})(window);
