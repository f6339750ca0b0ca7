// The renderer of application/vnd.gradbook.echarts.v1+json, and the widgets of
// @gradbook/viz, as a container of webpack's module federation: JupyterLab calls
// init with the modules that it shares, then get with the names from package.json.
//
// A chart is data: nothing of it is run or put into the page as HTML, so it is
// safe to draw in notebooks that are not trusted.
(function () {
  "use strict";

  const MIME = "application/vnd.gradbook.echarts.v1+json";
  const folder = new URL(".", document.currentScript.src).href;
  let shared = null;
  let loaded = null;

  function script(name) {
    return new Promise((resolve, reject) => {
      const e = document.createElement("script");
      e.src = folder + name;
      // An AMD loader on the page would otherwise take the library for itself.
      const amd = window.define && window.define.amd;
      if (amd) window.define.amd = undefined;
      const done = () => { if (amd) window.define.amd = amd; };
      e.onload = () => { done(); resolve(); };
      e.onerror = () => { done(); reject(new Error("cannot load " + e.src)); };
      document.head.appendChild(e);
    });
  }

  // charts loads echarts and what draws charts with it when the first chart is
  // drawn, once for the page.
  function charts() {
    loaded ??= (async () => {
      for (const name of ["echarts.min.js", "chart.js", "space.js", "mount.js"]) await script(name);
      return window.gradbookChart;
    })().catch(e => { loaded = null; throw e; });
    return loaded;
  }

  async function load(name) {
    const versions = shared[name] || {};
    const version = Object.keys(versions)[0];
    if (!version) throw new Error("JupyterLab does not share " + name);
    return (await versions[version].get())();
  }

  // isOurs says whether a kernel is Gradbook's; ask puts a question to one, by a comm that is
  // opened with it and closed with the answer.
  const isOurs = kernel => Boolean(kernel?.name.startsWith("gradbook"));
  function ask(kernel, target, question) {
    const comm = kernel.createComm(target);
    return new Promise(resolve => {
      comm.onMsg = message => { resolve(message.content.data); comm.close(); };
      comm.open(question);
    });
  }

  const isDark = () => document.body.dataset.jpThemeLight === "false";

  // mount draws a chart in a node, and returns what set, restyle and dispose are
  // methods of.
  async function mount(node) {
    const lib = await charts();
    const chart = lib.mount(node, { load: async () => window.echarts, dark: isDark });
    const themed = new MutationObserver(() => chart.restyle());
    themed.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
    return {
      set: (data, words) => chart.set(data, words),
      dispose: () => { themed.disconnect(); chart.dispose(); },
    };
  }

  function plugin(Widget) {
    class Chart extends Widget {
      async renderModel(model) {
        this.mounted ??= mount(this.node).catch(e => { this.mounted = null; throw e; });
        const chart = await this.mounted;
        if (this.isDisposed) return;
        const data = model.data[MIME];
        await chart.set(typeof data === "string" ? JSON.parse(data) : data, model.data["text/plain"]);
      }

      dispose() {
        if (this.isDisposed) return;
        this.mounted?.then(chart => chart.dispose());
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

  const TABLE = "application/vnd.gradbook.table.v1+json";

  // tables draws tables; the extension of notebooks tells which kernel a node is of.
  function tables(Widget) {
    let code = null;
    class Table extends Widget {
      async renderModel(model) {
        code ??= script("table.js").catch(e => { code = null; throw e; });
        await code;
        if (this.isDisposed) return;
        this.table ??= window.gradbookTable(this.node, async question => {
          const kernel = window.gradbookKernelOf?.(this.node);
          if (!kernel || kernel.isDisposed) return null;
          return ask(kernel, "gradbook.table", question);
        });
        const data = model.data[TABLE];
        this.table.set(typeof data === "string" ? JSON.parse(data) : data);
      }
    }
    return {
      id: "@gradbook/viz:table",
      description: "Draws tables that can be sorted, searched and turned.",
      rendererFactory: { safe: true, mimeTypes: [TABLE], createRenderer: () => new Table() },
      rank: 11,
      dataType: "json",
    };
  }

  // widgets tells Jupyter's widgets, if they are installed, of ours.
  function widgets(base) {
    return {
      id: "@gradbook/viz:widgets",
      description: "Widgets of Gradbook: a canvas, a chart, a label.",
      autoStart: true,
      requires: [base.IJupyterWidgetRegistry],
      activate(app, registry) {
        registry.registerWidget({
          name: "@gradbook/viz",
          version: "0.1.0",
          exports: async () => {
            await script("widgets.js");
            return window.gradbookWidgets(base, mount);
          },
        });
      },
    };
  }

  // notebooks are the extensions of notebooks, where there are any: not in a console alone.
  async function notebooks() {
    if (!shared["@jupyterlab/notebook"] || !shared["@jupyterlab/cells"]) return [];
    await Promise.all([script("cells.js"), script("outputs.js")]);
    const notebook = await load("@jupyterlab/notebook");
    const all = [window.gradbookCells(notebook, await load("@jupyterlab/cells"), isOurs, ask), window.gradbookOutputs(notebook, isOurs)];
    if (shared["@codemirror/view"] && shared["@codemirror/state"]) {
      await script("editing.js");
      const settings = shared["@jupyterlab/settingregistry"] ? await load("@jupyterlab/settingregistry") : null;
      all.push(window.gradbookEditing(notebook, settings, await load("@codemirror/view"), await load("@codemirror/state"), isOurs, ask));
    }
    return all;
  }

  const modules = {
    "./mimeExtension": async () => {
      const { Widget } = await load("@lumino/widgets");
      return [plugin(Widget), tables(Widget)];
    },
    "./extension": async () => [
      ...(shared["@jupyter-widgets/base"] ? [widgets(await load("@jupyter-widgets/base"))] : []),
      ...await notebooks(),
    ],
  };

  const container = {
    init(scope) {
      shared = scope;
    },
    async get(module) {
      if (!modules[module]) throw new Error("no module " + module);
      const exports = { __esModule: true, default: await modules[module]() };
      return () => exports;
    },
  };

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB["@gradbook/viz"] = container;
})();
