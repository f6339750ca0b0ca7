// The renderer of application/vnd.gradbook.echarts.v1+json, as a container of
// webpack's module federation: JupyterLab calls init with the modules that it
// shares, then get with the name from package.json.
//
// A chart is data: nothing of it is run or put into the page as HTML, so it is
// safe to draw in notebooks that are not trusted.
(function () {
  "use strict";

  const MIME = "application/vnd.gradbook.echarts.v1+json";
  const DEFAULT_HEIGHT = 360;
  const folder = new URL(".", document.currentScript.src).href;
  let shared = null;
  let echartsLoaded = null;

  // echarts is loaded when the first chart is drawn, once for the page.
  function echarts() {
    echartsLoaded ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = folder + "echarts.min.js";
      // An AMD loader on the page would otherwise take the library for itself.
      const amd = window.define && window.define.amd;
      if (amd) window.define.amd = undefined;
      const done = () => { if (amd) window.define.amd = amd; };
      script.onload = () => { done(); resolve(window.echarts); };
      script.onerror = () => { done(); echartsLoaded = null; reject(new Error("cannot load " + script.src)); };
      document.head.appendChild(script);
    });
    return echartsLoaded;
  }

  async function load(name) {
    const versions = shared[name] || {};
    const version = Object.keys(versions)[0];
    if (!version) throw new Error("JupyterLab does not share " + name);
    return (await versions[version].get())();
  }

  const isDark = () => document.body.dataset.jpThemeLight === "false";

  // clean returns an option without what could open a page, load something from
  // another host or be taken for HTML, wherever in the option it is.
  function clean(value, key) {
    switch (key) {
      case "link":
      case "sublink":
      case "dataView": // puts texts into the page as HTML
        return undefined;
      case "image": // of a graphic or a pattern
        return typeof value === "string" && value.startsWith("data:image/") ? value : undefined;
      case "renderMode":
        return "richText";
    }
    if (typeof value === "string") {
      return value.startsWith("image://") && !value.startsWith("image://data:image/") ? "none" : value;
    }
    if (Array.isArray(value)) return value.map(v => clean(v, key));
    if (value && typeof value === "object") {
      const out = {};
      for (const [k, v] of Object.entries(value)) out[k] = clean(v, k);
      if (key === "tooltip") Object.assign(out, { renderMode: "richText", confine: true, valueFormatter: short });
      return out;
    }
    return value;
  }

  // short is a number as one wants to read it in a tooltip.
  function short(value) {
    return typeof value === "number" ? String(Number(value.toPrecision(5))) : value;
  }

  function prepare(data) {
    const option = clean(data.option);
    option.backgroundColor = "transparent";
    option.aria = { enabled: true, ...option.aria };
    return option;
  }

  function plugin(Widget) {
    class Chart extends Widget {
      constructor() {
        super();
        this.addClass("gradbook-chart");
        this.chart = null;
        this.data = null;
        this.visible = false;
        this.box = document.createElement("div");
        this.box.style.width = "100%";
        this.box.setAttribute("role", "img");
        this.node.appendChild(this.box);
        // A chart far down a long notebook costs nothing until it is scrolled to.
        this.seen = new IntersectionObserver(entries => {
          this.visible = entries[entries.length - 1].isIntersecting;
          if (this.visible) this.draw();
        }, { rootMargin: "200px" });
        this.resized = new ResizeObserver(() => {
          if (this.box.clientWidth === 0) return; // hidden, behind another tab
          if (this.chart) this.chart.resize();
          else if (this.visible) this.draw();
        });
        this.themed = new MutationObserver(() => this.redraw());
        this.seen.observe(this.box);
        this.resized.observe(this.box);
        this.themed.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
      }

      async renderModel(model) {
        let data = model.data[MIME];
        if (typeof data === "string") data = JSON.parse(data);
        this.data = data;
        const height = Number(data.height) > 0 ? Math.min(Number(data.height), 4000) : DEFAULT_HEIGHT;
        this.box.style.height = height + "px";
        this.box.style.maxWidth = Number(data.width) > 0 ? Number(data.width) + "px" : "";
        this.box.setAttribute("aria-label", String(model.data["text/plain"] || "chart"));
        if (this.visible) await this.draw();
      }

      async draw() {
        if (!this.data) return;
        const lib = await echarts();
        if (this.isDisposed || this.box.clientWidth === 0) return;
        if (!this.chart) {
          this.chart = lib.init(this.box, isDark() ? "dark" : null, { renderer: "canvas" });
          this.drawn = null;
        }
        if (this.drawn !== this.data) {
          // Not merged: a series that is gone must go. The instance stays, so
          // an update does not flicker.
          this.chart.setOption(prepare(this.data), { notMerge: true });
          this.drawn = this.data;
        }
      }

      redraw() {
        if (!this.chart) return;
        this.chart.dispose();
        this.chart = null;
        if (this.visible) this.draw();
      }

      dispose() {
        if (this.isDisposed) return;
        this.seen.disconnect();
        this.resized.disconnect();
        this.themed.disconnect();
        if (this.chart) this.chart.dispose();
        super.dispose();
      }
    }

    return {
      id: "@gradbook/viz:plugin",
      description: "Draws Gradbook's charts.",
      rendererFactory: { safe: true, mimeTypes: [MIME], createRenderer: () => new Chart() },
      rank: 10,
      dataType: "json",
    };
  }

  const container = {
    init(scope) {
      shared = scope;
    },
    async get(module) {
      if (module !== "./mimeExtension") throw new Error("no module " + module);
      const { Widget } = await load("@lumino/widgets");
      const exports = { __esModule: true, default: plugin(Widget) };
      return () => exports;
    },
  };

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB["@gradbook/viz"] = container;
})();
