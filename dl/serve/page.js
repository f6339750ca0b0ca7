"use strict";
// The page of a service: it asks for each prediction by the protocol, and shows what a model of
// language says while it says it.
{
  const model = JSON.parse(document.getElementById("try").dataset.model);
  const headers = { "Content-Type": "application/json" };

  async function predict(inputs) {
    const body = {
      inputs: model.inputs.map((port, i) => ({ name: port.name, datatype: port.datatype, shape: [1, ...port.shape], data: Array.from(inputs[i]) })),
    };
    const answer = await fetch(`/v2/models/${encodeURIComponent(model.name)}/infer`, { method: "POST", headers, body: JSON.stringify(body) });
    const result = await answer.json();
    if (!answer.ok) throw new Error(result.error);
    return model.outputs.map(port => result.outputs.find(o => o.name === port.name).data);
  }

  function chat() {
    const say = document.getElementById("say"), inputs = document.getElementById("inputs"), outputs = document.getElementById("outputs");
    const area = document.createElement("textarea"), button = document.createElement("button"), text = document.createElement("pre");
    area.setAttribute("aria-label", "The beginning of a text");
    button.textContent = "Go on";
    inputs.append(area, button);
    outputs.append(text);
    say.textContent = "The model goes on with a text.";
    button.addEventListener("click", async () => {
      button.disabled = true;
      text.textContent = area.value;
      try {
        const answer = await fetch("/v1/chat/completions", {
          method: "POST",
          headers,
          body: JSON.stringify({ model: model.name, stream: true, max_tokens: 200, messages: [{ role: "user", content: area.value }] }),
        });
        if (!answer.ok) throw new Error((await answer.json()).error.message);
        const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
        for (let rest = ""; ; ) {
          const { done, value } = await reader.read();
          if (done) break;
          const events = (rest + value).split("\n\n");
          rest = events.pop();
          for (const event of events.filter(e => e !== "data: [DONE]")) {
            const data = JSON.parse(event.slice("data: ".length));
            if (data.error) throw new Error(data.error.message);
            text.textContent += data.choices[0]?.delta.content ?? "";
          }
        }
        say.className = "";
        say.textContent = "The model has finished.";
      } catch (e) {
        say.className = "error";
        say.textContent = e.message;
      }
      button.disabled = false;
    });
  }

  model.chat ? chat() : tryModel(model, predict, "by the service");
}
