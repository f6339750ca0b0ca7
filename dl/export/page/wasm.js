"use strict";
// The model is in the page, as WebAssembly: it says when it is ready, and gives the page predict.
{
  const model = JSON.parse(document.getElementById("model").textContent);
  globalThis.ready = () => {
    const compute = globalThis.predict;
    tryModel(model, async inputs => {
      const result = compute(...inputs);
      if (result instanceof Error) throw result;
      return result;
    });
  };
  const go = new Go();
  const bytes = Uint8Array.from(atob(document.getElementById("wasm").textContent), c => c.charCodeAt(0));
  WebAssembly.instantiate(bytes, go.importObject).then(({ instance }) => go.run(instance), e => {
    const say = document.getElementById("say");
    say.textContent = "The model cannot run here: " + e.message;
    say.className = "error";
  });
}
