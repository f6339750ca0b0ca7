// Words for what cells show: JupyterLab gives pictures no description, and Jupyter's
// sliders no name.
window.gradbookOutputs = function (notebook, isOurs) {
  "use strict";

  // words are those that come with a picture: its metadata's, or its text.
  function words(panel, img) {
    const cell = panel.content.widgets.find(w => w.outputArea && w.node.contains(img));
    const child = img.closest(".jp-OutputArea-child");
    if (!cell || !child) return "";
    const output = cell.outputArea.model.get([...child.parentNode.children].indexOf(child))?.toJSON();
    const kind = Object.keys(output?.metadata || {}).find(k => output.metadata[k]?.alt);
    const text = kind ? output.metadata[kind].alt : output?.data?.["text/plain"];
    return (Array.isArray(text) ? text.join("") : text || "").trim();
  }

  function describe(panel, node) {
    for (const img of node.querySelectorAll(".jp-RenderedImage img:not([alt]), .jp-RenderedSVG img:not([alt])")) {
      img.alt = words(panel, img);
    }
    for (const handle of node.querySelectorAll('.noUi-handle[role="slider"]:not([aria-label])')) {
      const own = handle.closest(".widget-slider")?.querySelector(".widget-label")?.textContent.trim();
      handle.setAttribute("aria-label", own || "slider");
    }
  }

  return {
    id: "@gradbook/viz:outputs",
    description: "Words for pictures and sliders.",
    autoStart: true,
    requires: [notebook.INotebookTracker],
    activate(app, tracker) {
      tracker.widgetAdded.connect((_, panel) => {
        const seen = new MutationObserver(changes => {
          if (!isOurs(panel.sessionContext.session?.kernel)) return;
          for (const c of changes) {
            for (const node of c.addedNodes) {
              const owner = node.nodeType === 1 && node.closest(".jp-OutputArea-child");
              if (owner) describe(panel, owner);
              else if (node.nodeType === 1 && node.querySelector(".jp-OutputArea")) describe(panel, node);
            }
          }
        });
        seen.observe(panel.content.node, { childList: true, subtree: true });
        panel.disposed.connect(() => seen.disconnect());
      });
    },
  };
};
