// Makes charts of the pictures of charts on a page: the picture is there first, and
// stays where scripts are off. What draws lies beside this file, and is loaded when the
// first chart comes near.
(function () {
  "use strict";

  const folder = new URL(".", document.currentScript.src).href;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let loaded = null;

  function script(name) {
    return new Promise((resolve, reject) => {
      const e = document.createElement("script");
      e.src = folder + name;
      e.onload = resolve;
      e.onerror = () => reject(new Error("cannot load " + e.src));
      document.head.appendChild(e);
    });
  }

  function charts() {
    loaded ??= (async () => {
      for (const name of ["echarts.min.js", "chart.js", "space.js", "mount.js"]) await script(name);
      return window.gradbookChart;
    })();
    return loaded;
  }

  async function enliven(still) {
    const data = JSON.parse(still.querySelector("script").textContent);
    const picture = still.querySelector("img");
    const lib = await charts();
    const node = document.createElement("div");
    // The picture gives way when the chart is there; until then the chart lies unseen
    // above it.
    still.style.position = "relative";
    Object.assign(node.style, { position: "absolute", inset: "0", visibility: "hidden" });
    const chart = lib.mount(node, { load: async () => window.echarts, dark: () => dark.matches });
    still.appendChild(node);
    await chart.set(data, picture.alt);
    const drawn = () => {
      if (!node.querySelector("canvas")) return requestAnimationFrame(drawn);
      picture.hidden = true;
      Object.assign(node.style, { position: "", inset: "", visibility: "" });
    };
    drawn();
    dark.addEventListener("change", () => chart.restyle());
    // A chart that is far from what is seen is not drawn: on paper there is the picture.
    const paper = on => () => { if (on || node.style.visibility === "") { picture.hidden = !on; node.style.display = on ? "none" : ""; } };
    window.addEventListener("beforeprint", paper(true));
    window.addEventListener("afterprint", paper(false));
  }

  function start() {
    const near = new IntersectionObserver(entries => {
      for (const e of entries) {
        if (!e.isIntersecting) continue;
        near.unobserve(e.target);
        enliven(e.target).catch(error => console.error(error));
      }
    }, { rootMargin: "800px" });
    for (const still of document.querySelectorAll(".gradbook-still")) near.observe(still);
  }

  start();
})();
